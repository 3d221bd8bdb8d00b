// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The release script in a small repository, whose {@code mvnw} and image engine are stand-ins. */
class ReleaseScriptTest {

  private static final String POM =
      """
      <project>
        <modelVersion>4.0.0</modelVersion>
        <version>1.1.0-SNAPSHOT</version>
        <project.build.outputTimestamp>2001-01-01T00:00:00Z</project.build.outputTimestamp>
        <dependency><version>1.1.0</version></dependency>
      </project>
      """;

  private static final String MVNW =
      """
      #!/bin/sh
      [ "$*" = "-q -DskipTests package" ] || exit 9
      version=$(sed -n '0,/^  <version>/s:^  <version>\\(.*\\)</version>:\\1:p' pom.xml)
      mkdir target
      cp pom.xml "target/ari-proxy-$version.tar.gz"
      echo package > "target/ari-proxy_${version}_all.deb"
      echo {} > target/ari-proxy-sbom.json
      echo libraries > target/THIRD-PARTY.txt
      """;

  private static final String ENGINE =
      """
      #!/bin/sh
      [ "$1" = save ] && echo "image $2"
      """;

  /** Without the user's configuration. */
  private static final Map<String, String> GIT_ENVIRONMENT =
      Map.of(
          "GIT_CONFIG_GLOBAL", "/dev/null",
          "GIT_CONFIG_SYSTEM", "/dev/null",
          "GIT_AUTHOR_NAME", "a name",
          "GIT_AUTHOR_EMAIL", "a@example.org",
          "GIT_COMMITTER_NAME", "a name",
          "GIT_COMMITTER_EMAIL", "a@example.org");

  @TempDir private Path folder;
  private Path repository;
  private Path release;

  @BeforeEach
  void createRepository() throws IOException {
    Tool.BASH.path();
    Tool.GIT.path();
    repository = Files.createDirectory(folder.resolve("a repository"));
    release = repository.resolve("target/release/1.1.0");
    write("pom.xml", POM);
    write(".gitignore", "/target/\n");
    write("docs/deploy.md", "docker run ari-proxy:1.1.0-SNAPSHOT, since 1.1.0\n");
    write(
        "CHANGELOG.md",
        "# Changelog\n\n## Unreleased\n\n- New.\n\n## 1.0.0 - 2001-01-01\n\n- 1.1.0-SNAPSHOT.\n");
    script("mvnw", MVNW);
    script("docker/image", "#!/bin/sh\n");
    script("packaging/release", Files.readString(Path.of("packaging", "release")));
    script("../bin/engine", ENGINE);
    git("init", "-q", "-b", "main");
    git("add", "-A");
    git("commit", "-q", "-m", "first");
  }

  @Test
  void tagsVersionAndContinuesWithNextSnapshot() {
    run("1.1.0");

    String today = LocalDate.now(ZoneOffset.UTC).toString();
    assertThat(git("log", "--format=%s"))
        .containsExactly("release: continue with 1.2.0-SNAPSHOT", "release: 1.1.0", "first");
    assertThat(git("describe", "--exact-match", "HEAD~1")).containsExactly("v1.1.0");
    assertThat(git("show", "v1.1.0:pom.xml"))
        .contains(
            "  <version>1.1.0</version>",
            "  <project.build.outputTimestamp>"
                + today
                + "T00:00:00Z</project.build.outputTimestamp>",
            "  <dependency><version>1.1.0</version></dependency>");
    assertThat(git("show", "v1.1.0:docs/deploy.md"))
        .containsExactly("docker run ari-proxy:1.1.0, since 1.1.0");
    assertThat(git("show", "HEAD:pom.xml"))
        .contains(
            "  <version>1.2.0-SNAPSHOT</version>",
            "  <dependency><version>1.1.0</version></dependency>");
    assertThat(git("show", "HEAD:docs/deploy.md"))
        .containsExactly("docker run ari-proxy:1.2.0-SNAPSHOT, since 1.1.0");
    assertThat(git("show", "HEAD:CHANGELOG.md"))
        .containsSubsequence(
            "## Unreleased",
            "## 1.1.0 - " + today,
            "- New.",
            "## 1.0.0 - 2001-01-01",
            "- 1.1.0-SNAPSHOT.");
    assertThat(git("status", "--porcelain")).isEmpty();
  }

  @Test
  void makesFilesOfTag() throws IOException {
    Distribution.Result result = run("1.1.0");

    assertThat(result.exitCode()).as(result.output()).isZero();
    try (var files = Files.list(release)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "ari-proxy-1.1.0.tar.gz",
              "ari-proxy_1.1.0_all.deb",
              "ari-proxy-1.1.0-image.tar.gz",
              "ari-proxy-sbom.json",
              "THIRD-PARTY.txt",
              "RELEASE-NOTES.md",
              "SHA256SUMS");
    }
    assertThat(release.resolve("ari-proxy-1.1.0.tar.gz"))
        .content()
        .contains("  <version>1.1.0</version>");
    assertThat(Files.readString(release.resolve("RELEASE-NOTES.md")).strip()).isEqualTo("- New.");
    assertThat(Files.readAllLines(release.resolve("SHA256SUMS"))).hasSize(6);
    assertThat(execute(release, Map.of(), "sha256sum", "-c", "SHA256SUMS").exitCode()).isZero();
  }

  @Test
  void makesSameFilesAgainFromTag() throws IOException {
    run("1.1.0");
    String sums = Files.readString(release.resolve("SHA256SUMS"));
    write("docs/deploy.md", "an edit that is not committed\n");

    Distribution.Result again = run("1.1.0");

    assertThat(again.exitCode()).as(again.output()).isZero();
    assertThat(again.output()).contains("Tag v1.1.0 exists");
    assertThat(Files.readString(release.resolve("SHA256SUMS"))).isEqualTo(sums);
    assertThat(git("log", "--format=%s")).hasSize(3);
  }

  @Test
  void candidateKeepsSnapshotVersion() {
    assertThat(run("1.1.0-rc1").exitCode()).isZero();
    assertThat(git("show", "v1.1.0-rc1:pom.xml")).contains("  <version>1.1.0-rc1</version>");
    assertThat(git("show", "HEAD:pom.xml")).contains("  <version>1.1.0-SNAPSHOT</version>");
  }

  /** The notes of a version contain those of its candidates. */
  @Test
  void releaseFollowsCandidate() throws IOException {
    run("1.1.0-rc1");
    Distribution.Result result = run("1.1.0");
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(Files.readString(release.resolve("RELEASE-NOTES.md")).strip()).isEqualTo("- New.");
    assertThat(git("show", "HEAD:CHANGELOG.md")).doesNotContainSubsequence("rc1");
    assertThat(git("show", "HEAD:pom.xml")).contains("  <version>1.2.0-SNAPSHOT</version>");
  }

  @Test
  void continuesInterruptedRelease() {
    run("1.1.0");
    git("reset", "-q", "--hard", "v1.1.0");
    Distribution.Result result = run("1.1.0");
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(git("show", "HEAD:pom.xml")).contains("  <version>1.2.0-SNAPSHOT</version>");

    git("tag", "-d", "v1.1.0");
    git("reset", "-q", "--hard", "HEAD~1");
    result = run("1.1.0");
    assertThat(result.exitCode()).isOne();
    assertThat(result.output())
        .contains("v1.1.0 is missing after an interrupted release: git reset --hard HEAD~1");
  }

  @Test
  void patchFollowsReleaseOnItsBranch() {
    run("1.1.0");
    git("checkout", "-q", "-b", "1.1");
    Distribution.Result result = run("1.1.1", "1.1.2");
    assertThat(result.output()).contains("CHANGELOG.md has nothing under Unreleased");
    git("tag", "v1.3.0");
    assertThat(run("1.2.5", "1.2.6").output()).contains("1.2.5 precedes 1.3.0");
  }

  @Test
  void changesNothingAtCheckedOutTag() {
    run("1.1.0");
    git("checkout", "-q", "v1.1.0");
    Distribution.Result result = run("1.1.0");
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(git("rev-parse", "HEAD")).isEqualTo(git("rev-parse", "v1.1.0^{commit}"));
  }

  @ParameterizedTest
  @CsvSource({
    "1.0.9, 1.2.0, 1.0.9 precedes 1.1.0",
    "1.1.0, 1.0.5, 1.0.5 precedes 1.1.0",
    "1.1.0, 1.1.0, the next version must follow 1.1.0",
  })
  void rejectsOrderOfVersions(String version, String next, String reason) {
    assertRejected(run(version, next), reason);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.1", "v1.1.0", "1.1.0-SNAPSHOT", "1.1.0 ", "--force"})
  void rejectsVersion(String version) {
    assertRejected(run(version), "is not a version such as 1.2.0");
  }

  @ParameterizedTest
  @CsvSource({
    "docs/deploy.md, an edit,                          files differ from HEAD",
    "new.txt,        a file that is not under control, files differ from HEAD",
  })
  void rejectsEdits(String file, String content, String reason) throws IOException {
    write(file, content);
    assertRejected(run("1.1.0"), reason);
  }

  @Test
  void rejectsReleaseWithoutChanges() throws IOException {
    write("CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n## 1.0.0 - 2001-01-01\n\n- Old.\n");
    git("commit", "-q", "-a", "--amend", "-m", "first");
    assertRejected(run("1.1.0"), "CHANGELOG.md has nothing under Unreleased");
  }

  @Test
  void rejectsDetachedHead() {
    git("checkout", "-q", "--detach");
    assertRejected(run("1.1.0"), "HEAD is not a branch");
  }

  @Test
  void rejectsMissingEngineBeforeCommit() {
    assertRejected(
        execute(repository, Map.of("ENGINE", "no-such-engine"), "packaging/release", "1.1.0"),
        "no-such-engine is not installed");
  }

  private void assertRejected(Distribution.Result result, String reason) {
    assertThat(result.exitCode()).as(result.output()).isOne();
    assertThat(result.output().lines()).hasSize(1).first().asString().contains(reason);
    assertThat(git("log", "--format=%s")).containsExactly("first");
    assertThat(git("tag")).isEmpty();
  }

  private Distribution.Result run(String... arguments) {
    List<String> command = new ArrayList<>(List.of("packaging/release"));
    command.addAll(List.of(arguments));
    return execute(
        repository,
        Map.of("ENGINE", folder.resolve("bin/engine").toString()),
        command.toArray(String[]::new));
  }

  private List<String> git(String... arguments) {
    List<String> command = new ArrayList<>(List.of("git"));
    command.addAll(List.of(arguments));
    Distribution.Result result = execute(repository, Map.of(), command.toArray(String[]::new));
    assertThat(result.exitCode()).as(result.output()).isZero();
    return result.output().lines().toList();
  }

  private static Distribution.Result execute(
      Path directory, Map<String, String> environment, String... command) {
    // not the repository that the tests run in, as in a hook of git
    List<String> isolated =
        new ArrayList<>(
            List.of("env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE"));
    isolated.addAll(List.of(command));
    Map<String, String> all = new HashMap<>(GIT_ENVIRONMENT);
    all.putAll(environment);
    return Distribution.runToExit(directory, all, isolated);
  }

  private void write(String file, String content) throws IOException {
    Path path = repository.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, content);
  }

  private void script(String file, String content) throws IOException {
    write(file, content);
    assertThat(repository.resolve(file).toFile().setExecutable(true)).isTrue();
  }
}
