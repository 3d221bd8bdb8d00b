package io.retel.ariproxy.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A secret may stand in a file that the environment or the configuration names. */
class SecretsFromFilesTest {

  private static final String SECRET = "s3cr{{e}}t ü";

  @TempDir private Path folder;

  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void whatIsRequired() {
    environment.put("ARI_APP", "app");
    environment.put("ARI_USERNAME", "user");
    environment.put("KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events");
    environment.put("KAFKA_COMMANDS_TOPIC", "commands");
    environment.put("ARI_PROXY_ROUTES", folder.toString());
  }

  static Stream<Setting> secrets() {
    return Arrays.stream(Setting.values()).filter(Setting::secret);
  }

  @ParameterizedTest
  @MethodSource("secrets")
  void everySecretCanStandInAFile(Setting secret) throws IOException {
    environment.put(secret.fileEnvironmentVariable(), file(SECRET).toString());
    assertThat(new SettingSources(environment, new Properties()).valueOf(secret)).isEqualTo(SECRET);
  }

  @ParameterizedTest
  @ValueSource(strings = {SECRET, SECRET + "\n", SECRET + "\r\n"})
  void theEndOfItsLineIsNotPartOfIt(String content) throws IOException {
    environment.put("ARI_PASSWORD_FILE", file(content).toString());
    assertThat(read().password().reveal()).isEqualTo(SECRET);
  }

  @Test
  void theConfigurationMayNameTheFile() throws IOException {
    configuration("ari.password =\nari.password-file = " + file(SECRET));
    assertThat(read().password().reveal()).isEqualTo(SECRET);
  }

  @Test
  void theEnvironmentOverridesTheConfiguration() throws IOException {
    configuration("ari.password = another");
    environment.put("ARI_PASSWORD_FILE", file(SECRET).toString());
    assertThat(read().password().reveal()).isEqualTo(SECRET);

    configuration("ari.password-file = " + file("another"));
    environment.clear();
    whatIsRequired();
    environment.put("ARI_PASSWORD", SECRET);
    assertThat(read().password().reveal()).isEqualTo(SECRET);
  }

  @Test
  void aVariableWithoutAValueNamesNoFile() {
    environment.put("ARI_PASSWORD_FILE", "");
    environment.put("ARI_PASSWORD", SECRET);
    assertThat(read().password().reveal()).isEqualTo(SECRET);
  }

  @Test
  void whatIsGivenTwiceIsRefused() throws IOException {
    environment.put("ARI_PASSWORD", SECRET);
    environment.put("ARI_PASSWORD_FILE", file(SECRET).toString());
    assertRefused("ari.password is given twice");

    environment.clear();
    whatIsRequired();
    configuration("ari.password = " + SECRET + "\nari.password-file = " + file(SECRET));
    assertRefused("ari.password is given twice");
  }

  @Test
  void aFileThatDoesNotHaveItIsNamed() throws IOException {
    Path absent = folder.resolve("absent");
    environment.put("ARI_PASSWORD_FILE", absent.toString());
    assertRefused("ari.password-file names " + absent + ", which is not there");

    environment.put("ARI_PASSWORD_FILE", folder.toString());
    assertRefused("ari.password-file names " + folder + ", which cannot be read");

    environment.put("ARI_PASSWORD_FILE", file("\n").toString());
    assertRefused("secret, which is empty");

    environment.put("ARI_PASSWORD_FILE", file(SECRET + "\nmore\n").toString());
    assertRefused("secret, which has more than one line");

    Path latin1 = folder.resolve("latin-1");
    Files.write(latin1, SECRET.getBytes(StandardCharsets.ISO_8859_1));
    environment.put("ARI_PASSWORD_FILE", latin1.toString());
    assertRefused("latin-1, which is no UTF-8 text");
  }

  @Test
  void whatIsNoSecretStandsInNoFile() throws IOException {
    environment.put("ARI_PASSWORD", "x");
    configuration("ari.username-file = " + file("user"));
    assertRefused("ari.username-file, which is no setting");
  }

  private void assertRefused(String why) {
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .message()
        .contains(why)
        .doesNotContain("\n", SECRET);
  }

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("secret"), content);
  }

  private void configuration(String content) throws IOException {
    Files.writeString(folder.resolve("p"), content);
  }

  private Settings read() {
    return Settings.read(folder.resolve("p"), environment);
  }
}
