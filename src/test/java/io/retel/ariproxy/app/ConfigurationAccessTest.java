// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.callcontext.store.CassandraStoreProvider;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.fixtures.CapturedLog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationAccessTest {

  @TempDir private Path folder;

  private Path program;
  private Path archive;
  private List<Path> programFiles;
  private Path routes;
  private Path route;
  private Path configuration;
  private Path password;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void createFiles() throws IOException {
    Path home = Files.createDirectory(folder.resolve("home"));
    program = Files.writeString(home.resolve("ari-proxy.jar"), "");
    Path lib = Files.createDirectory(home.resolve("lib"));
    Path bin = Files.createDirectory(home.resolve("bin"));
    Path library = Files.writeString(lib.resolve("camel.jar"), "");
    Path script = Files.writeString(bin.resolve("ari-proxy"), "");
    archive = Files.writeString(home.resolve("ari-proxy-1.jsa"), "");
    programFiles = List.of(program, archive, lib, library, bin, script);
    for (Path file : List.of(home, program, archive, lib, library, bin, script)) {
      permit(file, "rwxr-xr-x");
    }
    routes = Files.createDirectory(folder.resolve("routes"));
    route = Files.writeString(routes.resolve("own.camel.yaml"), "- route: {}");
    configuration = Files.writeString(folder.resolve("application.properties"), "");
    password = Files.writeString(folder.resolve("password"), "secret");
    permit(routes, "rwxr-xr-x");
    for (Path file : List.of(route, configuration)) {
      permit(file, "rw-r--r--");
    }
    permit(password, "rw-------");
  }

  @Test
  void acceptsFilesOfOwner() {
    assertThat(check()).isEmpty();
  }

  @Test
  void rejectsFileThatEveryUserCanChange() throws IOException {
    for (Path file :
        Stream.concat(Stream.of(routes, route, configuration, password), programFiles.stream())
            .toList()) {
      String before = PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
      permit(file, before.substring(0, 7) + "w" + before.substring(8));
      assertThatThrownBy(this::check)
          .isInstanceOf(InvalidSettingException.class)
          .hasMessageContaining("Every user of this host can change ")
          .hasMessageEndingWith("chmod o-w " + file.toRealPath());
      permit(file, before);
    }
    assertThat(check()).isEmpty();
  }

  @Test
  void warnsOnceOfFilesThatAGroupCanChange() throws IOException {
    permit(route, "rw-rw-r--");
    permit(password, "rw-rw----");
    assertThat(check())
        .singleElement()
        .asString()
        .contains(
            "Other users can change what the proxy runs: ",
            "own.camel.yaml (group), ",
            "password (group); ");
  }

  @Test
  void namesSomeOfManyFilesThatAGroupCanChange() throws IOException {
    for (int i = 0; i < 200; i++) {
      permit(Files.writeString(program.resolveSibling("lib").resolve(i + ".jar"), ""), "rw-rw-r--");
    }
    assertThat(check())
        .singleElement()
        .asString()
        .contains("/0.jar (group), ", " (group) and 180 more; ");
  }

  @Test
  void acceptsClassArchiveThatDoesNotExist() throws IOException {
    Files.delete(archive);
    assertThat(check()).isEmpty();
  }

  @Test
  void findsProgram() {
    assertThat(ConfigurationAccess.program()).exists();
  }

  @Test
  void warnsOfSecretThatEveryUserCanRead() throws IOException {
    permit(folder, "rwxr-xr-x");
    permit(password, "rw-r--r--");
    assertThat(check())
        .containsExactly(
            "Every user of this host can read "
                + password
                + ", which contains a secret; chmod o-r "
                + password.toRealPath());
  }

  @Test
  void warnsOfKeysThatEveryUserCanRead() throws IOException {
    permit(folder, "rwxr-xr-x");
    Path certificate = pem("certificate.pem");
    Path key = pem("key.pem");
    Path storeKey = pem("store-key.pem");
    environment.put(Setting.KAFKA_CERTIFICATE_FILE.environmentVariable(), certificate.toString());
    environment.put(Setting.KAFKA_KEY_FILE.environmentVariable(), key.toString());
    environment.put(CassandraStoreProvider.KEY_FILE.environmentVariable(), storeKey.toString());
    assertThat(check())
        .hasSize(2)
        .anyMatch(line -> line.contains("can read " + key + ", which"))
        .anyMatch(line -> line.contains("can read " + storeKey + ", which"));
  }

  private Path pem(String name) throws IOException {
    Path file = Files.writeString(folder.resolve(name), "");
    permit(file, "rw-r--r--");
    return file;
  }

  @Test
  void warnsOfConfigurationWithSecretThatEveryUserCanRead() throws IOException {
    permit(folder, "rwxr-xr-x");
    Files.writeString(
        configuration,
        "kafka.password =\ncallcontext.redis-uri = redis://localhost\n"
            + "callcontext.jdbc-url = jdbc:sqlite:calls.db\n");
    assertThat(check()).as("without a secret").isEmpty();

    for (String secret :
        List.of(
            "kafka.password = secret",
            "management.token = 0123456789abcdef",
            "callcontext.redis-uri = redis://:secret@localhost",
            "callcontext.jdbc-url = jdbc:postgresql://localhost/calls?user=x&password=secret")) {
      Files.writeString(configuration, secret);
      assertThat(check())
          .as(secret)
          .singleElement()
          .asString()
          .contains("can read " + configuration + ", which contains a secret");
    }
  }

  @Test
  void acceptsSecretInFolderThatOthersCannotEnter() throws IOException {
    permit(password, "rw-r--r--");
    permit(folder, "rwxr-x---");
    assertThat(check()).isEmpty();
  }

  /** A user who creates the file decides what the next start reads. */
  @Test
  void rejectsFolderOfMissingSettingsThatEveryUserCanChange() throws IOException {
    Path settings = Files.createDirectory(folder.resolve("config"));
    configuration = settings.resolve("application.properties");
    permit(settings, "rwxr-xr-x");
    assertThat(check()).isEmpty();

    permit(settings, "rwxrwxrwx");
    assertThatThrownBy(this::check)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessageEndingWith("chmod o-w " + settings.toRealPath());

    Files.delete(settings);
    assertThat(check()).isEmpty();
    permit(folder, "rwxrwxrwx");
    assertThatThrownBy(this::check).hasMessageEndingWith("chmod o-w " + folder.toRealPath());
  }

  /** Such as the root of a volume, whose mode nobody in a container can change. */
  @Test
  void warnsOfParentFolderThatEveryUserCanChange() throws IOException {
    permit(folder, "rwxrwxrwx");
    assertThat(check())
        .singleElement()
        .asString()
        .contains(": " + folder.toRealPath() + " (everyone); ");
  }

  @Test
  void namesLinkThatLeavesTheRoutesDirectory(@TempDir Path elsewhere) throws IOException {
    Path target = Files.writeString(elsewhere.resolve("shared.yaml"), "- route: {}");
    permit(target, "rw-r--r--");
    Files.createSymbolicLink(routes.resolve("publish.camel.yaml"), target);
    assertThat(check())
        .singleElement()
        .asString()
        .contains("publish.camel.yaml is a link to " + target.toRealPath());

    permit(target, "rw-rw-rw-");
    assertThatThrownBy(this::check).hasMessageEndingWith("chmod o-w " + target.toRealPath());
  }

  @Test
  void acceptsLinksWithinConfigMap() throws IOException {
    Path version = Files.createDirectory(routes.resolve("..2026_11_29"));
    permit(version, "rwxr-xr-x");
    permit(Files.writeString(version.resolve("map.camel.yaml"), "- route: {}"), "rw-r--r--");
    Files.createSymbolicLink(routes.resolve("..data"), Path.of("..2026_11_29"));
    Files.createSymbolicLink(routes.resolve("map.camel.yaml"), Path.of("..data/map.camel.yaml"));
    assertThat(check()).isEmpty();
  }

  private List<String> check() {
    for (Setting<?> setting : Setting.all()) {
      if (setting.isRequired() && setting != Setting.ARI_PASSWORD) {
        environment.putIfAbsent(setting.environmentVariable(), "x-" + environment.size());
      }
    }
    environment.put("ARI_PASSWORD_FILE", password.toString());
    environment.put(Setting.ROUTES_DIRECTORY.environmentVariable(), routes.toString());
    try (CapturedLog log = new CapturedLog()) {
      ConfigurationAccess.check(
          program,
          List.of("-Xmx1g", "-XX:SharedArchiveFile=" + archive),
          configuration,
          Settings.read(configuration, environment));
      return log.lines(Level.WARN);
    }
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }
}
