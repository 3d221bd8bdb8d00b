// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The Debian package has the files of the tar.gz. {@code src/test/matrix} installs it. */
class DebianPackageIT {

  private static final String PROGRAM = "./usr/share/ari-proxy/";
  private static List<Entry> entries;
  @TempDir private Path folder;

  @BeforeAll
  static void list() {
    entries = dpkg("--contents").lines().map(Entry::parse).toList();
  }

  @Test
  void containsEveryFileOfArchiveWithItsMode() {
    List<String> archived =
        Distribution.run(Map.of(), "tar", "-tvzf", Distribution.archive().toString())
            .lines()
            .map(Entry::parse)
            .filter(entry -> !entry.isFolder() && !entry.path().endsWith(".service"))
            .map(entry -> entry.mode() + " " + installed(entry.path()))
            .toList();
    assertThat(entries.stream().map(entry -> entry.mode() + " " + entry.path()))
        .hasSizeGreaterThan(200)
        .containsAll(archived);
  }

  private static String installed(String archived) {
    String path = archived.substring(archived.indexOf('/') + 1);
    return (path.startsWith("config/") || path.startsWith("routes/") ? "./etc/ari-proxy/" : PROGRAM)
        + path;
  }

  @Test
  void addsOnlyFilesOfThePackage() {
    assertThat(
            entries.stream()
                .filter(entry -> !entry.isFolder())
                .map(Entry::path)
                .filter(path -> !path.startsWith("./etc/ari-proxy/"))
                .filter(path -> !path.startsWith(PROGRAM)))
        .containsExactlyInAnyOrder(
            "./usr/bin/ari-proxy -> ../share/ari-proxy/bin/ari-proxy",
            "./usr/lib/systemd/system/ari-proxy.service",
            "./usr/share/doc/ari-proxy/copyright",
            "./usr/share/lintian/overrides/ari-proxy");
    assertThat(entries)
        .extracting(Entry::path)
        .contains(
            PROGRAM + "config -> /etc/ari-proxy/config",
            PROGRAM + "routes -> /etc/ari-proxy/routes");
  }

  @Test
  void rootOwnsEveryFileAndOthersCannotWrite() {
    assertThat(entries)
        .allSatisfy(
            entry -> {
              assertThat(entry.owner()).isEqualTo("root/root");
              assertThat(entry.mode()).isIn("drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--", "lrw-r--r--");
            });
  }

  @Test
  void upgradeKeepsEditsOfEveryFileInEtc() {
    assertThat(dpkg("--info", "conffiles").lines())
        .containsExactlyInAnyOrderElementsOf(
            entries.stream()
                .filter(entry -> !entry.isFolder() && entry.path().startsWith("./etc/"))
                .map(entry -> entry.path().substring(1))
                .toList())
        .contains("/etc/ari-proxy/config/application.properties")
        .hasSize(6);
  }

  /** So that two builds have the same bytes. */
  @Test
  void containsNoTimeOrFolderOfTheBuild() {
    assertThat(entries.stream().map(Entry::time).collect(Collectors.toSet())).hasSize(1);
    String folder = Path.of("").toAbsolutePath().toString();
    for (String file : List.of("control", "conffiles", "md5sums", "postinst", "prerm", "postrm")) {
      assertThat(dpkg("--info", file)).doesNotContain(folder, "[[");
    }
  }

  /** A separate file with differences would apply after one of the administrator. */
  @Test
  void unitDiffersFromThatOfArchiveInPaths() throws IOException {
    List<String> expected =
        Files.readString(Path.of("packaging", "systemd", "ari-proxy.service"))
            .lines()
            .filter(line -> !line.matches("#.*(unpacked tar.gz|cp /opt/).*"))
            .map(line -> line.replace("/opt/", "/usr/share/"))
            .toList();
    Path unpacked = folder.resolve("unpacked");
    dpkg("--extract", unpacked.toString());
    List<String> unit =
        Files.readAllLines(unpacked.resolve("usr/lib/systemd/system/ari-proxy.service"));
    assertThat(unit)
        .isEqualTo(expected)
        .contains("ExecStart=/usr/share/ari-proxy/bin/ari-proxy")
        .noneMatch(line -> line.contains("/opt"));
  }

  /** The tool that builds it also reads DEBVERSION, DEBFULLNAME and DEBEMAIL. */
  @Test
  void versionAndMaintainerAreThoseOfTheProject() {
    String archive = Distribution.archive().getFileName().toString();
    String version = archive.replaceAll("^ari-proxy-|\\.tar\\.gz$", "");
    assertThat(dpkg("--field", "Version")).isEqualToIgnoringNewLines(version.replace("-", "~"));
    assertThat(dpkg("--field", "Maintainer"))
        .isEqualToIgnoringNewLines("ari-proxy maintainers <ari-proxy@example.org>");
  }

  @Test
  void requiresJava() {
    assertThat(dpkg("--field", "Depends"))
        .contains("default-jre-headless (>= 2:1.17) | java17-runtime-headless");
  }

  private static String dpkg(String action, String... arguments) {
    return Distribution.run(
        Map.of("LC_ALL", "C"),
        Stream.concat(
                Stream.of(
                    Tool.DPKG_DEB.path().toString(),
                    action,
                    Distribution.debianPackage().toString()),
                Stream.of(arguments))
            .toArray(String[]::new));
  }

  /** A line of {@code tar --list --verbose}. */
  private record Entry(String mode, String owner, String time, String path) {

    static Entry parse(String line) {
      String[] columns = line.split("\\s+", 6);
      return new Entry(columns[0], columns[1], columns[3] + " " + columns[4], columns[5]);
    }

    boolean isFolder() {
      return mode.startsWith("d");
    }
  }
}
