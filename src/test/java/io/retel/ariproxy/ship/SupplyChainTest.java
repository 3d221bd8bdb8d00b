// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** What a build downloads is pinned (docs/security.md#supply-chain). */
class SupplyChainTest {

  @Test
  void wrapperVerifiesMaven() throws IOException {
    Properties wrapper = new Properties();
    try (Reader reader =
        Files.newBufferedReader(Path.of(".mvn", "wrapper", "maven-wrapper.properties"))) {
      wrapper.load(reader);
    }
    assertThat(wrapper.getProperty("distributionUrl")).startsWith("https://");
    assertThat(wrapper.getProperty("distributionSha256Sum")).matches("[0-9a-f]{64}");
    // for machines without unzip
    assertThat(wrapper.getProperty("distributionTarGzSha256Sum")).matches("[0-9a-f]{64}");
    assertThat(Files.readString(Path.of("mvnw")))
        .contains("distributionSha256Sum=\"${distributionTarGzSha256Sum-}\"");
    // a wrapper with a jar would download another file, without a checksum
    assertThat(wrapper.getProperty("distributionType")).isEqualTo("only-script");
    assertThat(Path.of(".mvn", "wrapper", "maven-wrapper.jar")).doesNotExist();
  }

  @Test
  void baseImageCanBePinned() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("docker", "Dockerfile"));
    assertThat(lines).anyMatch(line -> line.startsWith("ARG BASE_IMAGE="));
    assertThat(lines.stream().filter(line -> line.startsWith("FROM ")))
        .isNotEmpty()
        .allMatch(line -> line.startsWith("FROM ${BASE_IMAGE}"));
  }

  /** An argument that is not passed would make an empty label. */
  @Test
  void imageIsLabeledWithVersionAndCommit() throws IOException {
    String dockerfile = Files.readString(Path.of("docker", "Dockerfile"));
    String build = Files.readString(Path.of("docker", "image"));
    for (String argument : List.of("VERSION", "REVISION", "SOURCE")) {
      assertThat(dockerfile)
          .contains(
              "\nARG %s=\n".formatted(argument),
              "org.opencontainers.image.%s=\"${%s}\""
                  .formatted(argument.toLowerCase(Locale.ROOT), argument));
      assertThat(build).contains("--build-arg \"" + argument + "=$");
    }
    assertThat(dockerfile)
        .contains(
            "org.opencontainers.image.title=\"ari-proxy\"",
            "org.opencontainers.image.licenses=\"Apache-2.0\"")
        .doesNotContain("image.created");
  }
}
