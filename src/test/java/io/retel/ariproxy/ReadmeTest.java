package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The README's tables match the code, and its examples are valid. */
class ReadmeTest {

  private static final Map<String, String> REQUIRED =
      Map.of(
          "ARI_APP", "app",
          "ARI_USERNAME", "ari",
          "ARI_PASSWORD", "secret",
          "KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events",
          "KAFKA_COMMANDS_TOPIC", "commands");

  @Test
  void securityExamplesAreValid(@TempDir Path folder) throws IOException {
    Matcher examples =
        Pattern.compile("```properties\n(.*?)```", Pattern.DOTALL).matcher(section("Secure"));
    CertificateAuthority.IssuedCertificate issued =
        CertificateAuthority.create(folder.resolve("ca")).forClient("client");
    int found = 0;
    while (examples.find()) {
      found++;
      String example =
          examples
              .group(1)
              .replaceAll("/run/secrets/\\S+", file(folder, "secret", "secret").toString())
              .replaceAll("/\\S+-ca\\.pem|/\\S+\\.crt", issued.certificate().toString())
              .replaceAll("/\\S+\\.key\\b", issued.key().toString());
      Path configuration = file(folder, "application.properties", example);
      assertThatCode(() -> Settings.read(configuration, REQUIRED))
          .as(examples.group(1))
          .doesNotThrowAnyException();
    }
    assertThat(found).isEqualTo(3);
  }

  @Test
  void quickStartMatchesAsteriskConfiguration() throws IOException {
    String run = section("Run it beside an Asterisk");
    Path asterisk = Path.of("docker", "asterisk");
    assertThat(Files.readString(asterisk.resolve("ari.conf")))
        .contains("[" + exportedValue("ARI_USERNAME", run) + "]")
        .contains("password = " + exportedValue("ARI_PASSWORD", run));
    assertThat(Files.readString(asterisk.resolve("extensions.conf")))
        .contains("exten => 1000,1,Stasis(" + exportedValue("ARI_APP", run) + ")");
  }

  private static String exportedValue(String variable, String section) {
    Matcher value = Pattern.compile(" " + variable + "=(\\S+)").matcher(section);
    assertThat(value.find()).as(variable).isTrue();
    return value.group(1);
  }

  private static String section(String title) throws IOException {
    String from = Files.readString(Path.of("README.md")).split("\n## " + title + "\n")[1];
    return from.split("\n## ")[0];
  }

  private static Path file(Path folder, String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content);
  }

  @ParameterizedTest
  @EnumSource(Meters.class)
  void metricsTableListsEveryMeter(Meters meter) throws IOException {
    String tags =
        meter.tags().stream().map(tag -> "`" + tag + "`").collect(Collectors.joining(", "));
    assertThat(Files.readString(Path.of("README.md")))
        .contains(
            "| `"
                + meter.meterName()
                + "`"
                + (tags.isEmpty() ? "" : " by " + tags)
                + " | "
                + meter.kind().name().toLowerCase(Locale.ROOT)
                + " | "
                + meter.description()
                + " |");
  }
}
