// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.callcontext.store.RedisStoreProvider;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.CurrentUser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A secret can be read from a file named in the environment or the configuration. */
class SecretsFromFilesTest {

  private static final String SECRET = "s3cr{{e}}t ü";

  @TempDir private Path folder;

  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void setRequiredSettings() {
    environment.put("ARI_APP", "app");
    environment.put("ARI_USERNAME", "user");
    environment.put("KAFKA_EVENTS_AND_RESPONSES_TOPIC", "events");
    environment.put("KAFKA_COMMANDS_TOPIC", "commands");
    environment.put("ARI_PROXY_ROUTES_DIRECTORY", folder.toString());
  }

  static Stream<Setting<?>> secrets() {
    return Setting.all().stream().filter(Setting::isSecret);
  }

  @ParameterizedTest
  @MethodSource("secrets")
  void readsEverySecretFromFile(Setting<?> secret) throws IOException {
    environment.put(secret.fileEnvironmentVariable(), secretFile(SECRET).toString());
    assertThat(new ConfigSource(environment, new Properties()).valueOf(secret)).isEqualTo(SECRET);
  }

  @ParameterizedTest
  @ValueSource(strings = {SECRET, SECRET + "\n", SECRET + "\r\n"})
  void stripsTrailingLineBreak(String content) throws IOException {
    environment.put("ARI_PASSWORD_FILE", secretFile(content).toString());
    assertThat(read().get(Setting.ARI_PASSWORD).reveal()).isEqualTo(SECRET);
  }

  /** Such as {@code <(command)} of a shell. */
  @Test
  void readsPipeOnce() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Thread writer =
        new Thread(
            () -> {
              try {
                Files.writeString(pipe, SECRET);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    writer.setDaemon(true);
    writer.start();
    environment.put("ARI_PASSWORD_FILE", pipe.toString());
    Settings settings = read();
    assertThat(settings.get(Setting.ARI_PASSWORD).reveal()).isEqualTo(SECRET);
    assertThat(settings.files()).isEmpty();
  }

  /** Also a file on a server that does not respond. */
  @Test
  @Timeout(60)
  void abandonsFileThatIsNotReadInTime() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    environment.put("ARI_PASSWORD_FILE", pipe.toString());
    ConfigSource config = new ConfigSource(environment, new Properties(), Duration.ofMillis(10));
    assertThatThrownBy(() -> config.valueOf(Setting.ARI_PASSWORD))
        .isInstanceOf(InvalidSettingException.class)
        .message()
        .startsWith("ari.password-file names " + pipe + ", which is not read within ")
        .contains("ARI_PASSWORD_FILE");
    // ends the read
    FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE).close();
  }

  @Test
  void limitsSizeOfFile() throws IOException {
    for (Path file : new Path[] {Path.of("/dev/zero"), secretFile("x".repeat((64 << 10) + 1))}) {
      environment.put("ARI_PASSWORD_FILE", file.toString());
      assertThatThrownBy(this::read)
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageContaining("names " + file + ", which is larger than 64 KB");
    }
  }

  @Test
  void followsReplacedFile() throws IOException {
    environment.put("ARI_PASSWORD_FILE", secretFile(SECRET).toString());
    Settings settings = read();
    Files.move(
        Files.writeString(folder.resolve("next"), "another\n"),
        folder.resolve("secret"),
        StandardCopyOption.ATOMIC_MOVE);
    Awaitility.await().until(() -> settings.get(Setting.ARI_PASSWORD).reveal().equals("another"));
    assertThat(settings.files()).containsExactly(folder.resolve("secret"));
  }

  @ParameterizedTest
  @CsvSource({
    "redis, CALLCONTEXT_REDIS_URI_FILE, rediss://:p@redis.example, redis.example:6379",
    "jdbc, CALLCONTEXT_JDBC_URL_FILE, jdbc:postgresql://db.example/calls, postgresql://db.example"
  })
  void keepsValueWhileReplacedOneIsInvalid(
      String store, String variable, String valid, String invalid) throws IOException {
    environment.put("ARI_PASSWORD", SECRET);
    environment.put("CALLCONTEXT_STORE", store);
    environment.put(variable, secretFile(valid).toString());
    Settings settings = read();
    Secret secret =
        settings.get(store.equals("jdbc") ? JdbcStoreProvider.URL : RedisStoreProvider.URI);
    try (CapturedLog log = CapturedLog.atDebug()) {
      Files.move(
          Files.writeString(folder.resolve("next"), invalid),
          folder.resolve("secret"),
          StandardCopyOption.ATOMIC_MOVE);
      Awaitility.await()
          .until(
              () -> {
                secret.reveal();
                return log.events().stream()
                    .map(event -> event.getFormattedMessage())
                    .filter(line -> line.contains("replaced") || line.contains("previous value"))
                    .findFirst()
                    .orElse("");
              },
              line -> line.contains("must be a UR") && line.contains("previous value remains"));
    }
    assertThat(secret.reveal()).isEqualTo(valid);
  }

  @Test
  void readsFileNamedByConfiguration() throws IOException {
    writeConfiguration("ari.password =\nari.password-file = " + secretFile(SECRET));
    assertThat(read().get(Setting.ARI_PASSWORD).reveal()).isEqualTo(SECRET);
  }

  @Test
  void environmentOverridesConfiguration() throws IOException {
    writeConfiguration("ari.password = another");
    environment.put("ARI_PASSWORD_FILE", secretFile(SECRET).toString());
    assertThat(read().get(Setting.ARI_PASSWORD).reveal()).isEqualTo(SECRET);

    writeConfiguration("ari.password-file = " + secretFile("another"));
    environment.clear();
    setRequiredSettings();
    environment.put("ARI_PASSWORD", SECRET);
    assertThat(read().get(Setting.ARI_PASSWORD).reveal()).isEqualTo(SECRET);
  }

  @Test
  void ignoresEmptyFileVariable() {
    environment.put("ARI_PASSWORD_FILE", "");
    environment.put("ARI_PASSWORD", SECRET);
    assertThat(read().get(Setting.ARI_PASSWORD).reveal()).isEqualTo(SECRET);
  }

  @Test
  void rejectsSecretGivenTwice() throws IOException {
    environment.put("ARI_PASSWORD", SECRET);
    environment.put("ARI_PASSWORD_FILE", secretFile(SECRET).toString());
    assertRejected("ari.password is set twice");

    environment.clear();
    setRequiredSettings();
    writeConfiguration("ari.password = " + SECRET + "\nari.password-file = " + secretFile(SECRET));
    assertRejected("ari.password is set twice");
  }

  /** Docker mounts a secret with the owner and mode of its file on the host. */
  @Test
  void namesOwnerAndModeOfFileThatItMustNotRead() throws IOException {
    Path file = secretFile(SECRET);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("-w-------"));
    Object user = Files.getAttribute(file, "unix:uid");
    Object group = Files.getAttribute(file, "unix:gid");
    String denial =
        "cannot be read by user %s: it belongs to user %s and group %s, with mode 0200"
            .formatted(user, user, group);
    assertThat(ReadAccess.denial(file)).isEqualTo(denial);
    assertThat(ReadAccess.denial(folder.resolve("absent"))).contains("a folder in its path");

    environment.put("ARI_PASSWORD_FILE", file.toString());
    // root reads every file
    Assumptions.assumeFalse(CurrentUser.isRoot());
    assertRejected("ari.password-file names " + file + ", which " + denial);
  }

  @Test
  void namesUnusableSecretFile() throws IOException {
    Path absent = folder.resolve("absent");
    environment.put("ARI_PASSWORD_FILE", absent.toString());
    assertRejected("ari.password-file names " + absent + ", which does not exist");

    environment.put("ARI_PASSWORD_FILE", folder.toString());
    assertRejected("ari.password-file names " + folder + ", which cannot be read");

    environment.put("ARI_PASSWORD_FILE", secretFile("\n").toString());
    assertRejected("secret, which is empty");

    environment.put("ARI_PASSWORD_FILE", secretFile(SECRET + "\nmore\n").toString());
    assertRejected("secret, which has more than one line");

    Path latin1 = folder.resolve("latin-1");
    Files.write(latin1, SECRET.getBytes(StandardCharsets.ISO_8859_1));
    environment.put("ARI_PASSWORD_FILE", latin1.toString());
    assertRejected("latin-1, which is not UTF-8 text");
  }

  @Test
  void rejectsFileKeyOfNonSecret() throws IOException {
    environment.put("ARI_PASSWORD", "x");
    writeConfiguration("ari.username-file = " + secretFile("user"));
    assertRejected("contains unknown setting ari.username-file");
  }

  private void assertRejected(String reason) {
    assertThatThrownBy(this::read)
        .isInstanceOf(InvalidSettingException.class)
        .message()
        .contains(reason)
        .doesNotContain("\n", SECRET);
  }

  private Path secretFile(String content) throws IOException {
    return Files.writeString(folder.resolve("secret"), content);
  }

  private void writeConfiguration(String content) throws IOException {
    Files.writeString(folder.resolve("p"), content);
  }

  private Settings read() {
    return Settings.read(folder.resolve("p"), environment);
  }
}
