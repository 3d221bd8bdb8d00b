<#-- target/ari-proxy-sbom.json: CycloneDX, filled in by license-maven-plugin, which also works offline. Maven sets the properties of
     the project before. Several licenses of a library are a choice. -->
{
  "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
  "bomFormat": "CycloneDX",
  "specVersion": "1.6",
  "version": 1,
  "metadata": {
    "component": {
      "type": "application",
      "bom-ref": "pkg:maven/${project.groupId}/${project.artifactId}@${project.version}",
      "group": "${project.groupId}",
      "name": "${project.artifactId}",
      "version": "${project.version}",
      "purl": "pkg:maven/${project.groupId}/${project.artifactId}@${project.version}",
      "licenses": [{"license": {"id": "Apache-2.0"}}]
    }
  },
  "components": [
<#list dependencyMap as dependency>
<#assign library = dependency.getKey()>
<#assign purl = "pkg:maven/" + library.groupId + "/" + library.artifactId + "@" + library.version>
    {
      "type": "library",
      "bom-ref": "${purl?json_string}",
      "group": "${library.groupId?json_string}",
      "name": "${library.artifactId?json_string}",
      "version": "${library.version?json_string}",
      "purl": "${purl?json_string}",
<#assign license = dependency.getValue()?sort?join(" OR ")>
      "licenses": [<#if license?contains(" ")>{"expression": "${license?json_string}"}<#else>{"license": {"id": "${license?json_string}"}}</#if>]
    }<#sep>,</#sep>
</#list>
  ]
}
