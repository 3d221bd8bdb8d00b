// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.retel.ariproxy.fixtures.ChildProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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

/**
 * The start script with a {@code java} that writes its arguments to a file. {@link DistributionIT}
 * runs it with Java.
 */
class StartScriptTest {

  private static final String ARCHIVE_OPTION = "-XX:SharedArchiveFile=";

  @TempDir private Path folder;
  private Path home;
  private Path state;
  private Path java;
  private KernelFiles kernel;
  private Path calls;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void install() throws IOException {
    home = Files.createDirectory(folder.resolve("home"));
    Files.createDirectory(home.resolve("share"));
    Files.writeString(home.resolve("ari-proxy.jar"), "jar");
    Path script = Files.createDirectory(home.resolve("bin")).resolve("ari-proxy");
    kernel = new KernelFiles(Files.createDirectory(folder.resolve("kernel")));
    kernel.writeScript(script);
    // with a space, as a folder of the user
    state = Files.createDirectory(folder.resolve("the state"));
    permit(state, "rwx------");
    java = Files.createDirectory(folder.resolve("java"));
    calls = folder.resolve("calls");
    Files.createDirectory(java.resolve("bin"));
    releaseOfJava("17.0.1");
    training("echo classes >\"$archive\"");
    environment.put("JAVA_HOME", java.toString());
    environment.put("STATE_DIRECTORY", state.toString());
  }

  @Test
  void secondStartUsesArchiveThatTheFirstCreated() throws Exception {
    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    Path archive = archive();
    assertThat(archive.getFileName().toString()).matches("ari-proxy-\\d+-\\d+\\.jsa");
    assertThat(Files.getPosixFilePermissions(archive))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(trainings()).hasSize(1);

    assertThat(start()).contains(ARCHIVE_OPTION + archive);
    assertThat(trainings()).hasSize(1);
  }

  @Test
  void archiveOfAnotherJarIsReplaced() throws Exception {
    start();
    Path old = archive();
    Files.writeString(home.resolve("ari-proxy.jar"), "raj");

    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    assertThat(archive()).isNotEqualTo(old);
    assertThat(start()).contains(ARCHIVE_OPTION + archive());
  }

  @Test
  void archiveOfAnotherJavaIsReplaced() throws Exception {
    start();
    Path old = archive();
    releaseOfJava("17.0.2");

    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    assertThat(archive()).isNotEqualTo(old);
  }

  @Test
  void archiveThatOthersCanChangeIsNotUsed() throws Exception {
    start();
    Path archive = archive();
    for (String permissions : List.of("rw--w----", "rw-----w-")) {
      permit(archive, permissions);
      assertThat(start()).doesNotContain(ARCHIVE_OPTION);
      assertThat(output()).contains(archive + " is not used, since other users can change it");
    }
    assertThat(trainings()).hasSize(1);
  }

  @Test
  void folderThatOthersCanChangeIsNotUsed() throws Exception {
    start();
    permit(state, "rwxrwx---");
    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    Files.delete(archive());
    start();
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void failureToCreateArchiveDoesNotPreventStart() throws Exception {
    training("echo the reason; exit 1");
    assertThat(start()).contains("-jar ");
    assertThat(output()).contains("cannot create a class archive in " + state + ": the reason");
    assertThat(start()).contains("-jar ");
    assertThat(trainings()).as("once").hasSize(1);

    Files.delete(archive());
    training("echo truncated >\"$archive\"");
    assertThat(start()).contains("-jar ");
    assertThat(output()).contains("is unusable");
    assertThat(archive().getFileName().toString()).endsWith(".jsa.failed");

    // not even root can create a file in it
    environment.put("STATE_DIRECTORY", "/proc");
    assertThat(start()).contains("-jar ");
  }

  @Test
  void withoutStateFolderEachStartIsWithoutArchive() throws Exception {
    environment.put("STATE_DIRECTORY", "");
    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    environment.put("STATE_DIRECTORY", folder.resolve("missing").toString());
    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    assertThat(trainings()).isEmpty();
  }

  @Test
  void incompleteArchiveOfKilledProcessIsReplaced() throws Exception {
    start();
    Path archive = archive();
    Files.writeString(Path.of(archive + ".new"), "incomplete");
    Files.delete(archive);

    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    assertThat(archive()).isEqualTo(archive).hasContent("classes");
  }

  @Test
  void twoStartsAtOnceCreateOneArchive() throws Exception {
    training("sleep 1; echo classes >\"$archive\"");
    Process first = process();
    Process second = process();
    for (Process process : List.of(first, second)) {
      process.getInputStream().readAllBytes();
      assertThat(process.waitFor()).isZero();
    }
    assertThat(trainings()).hasSize(1);
    assertThat(archive()).exists();
  }

  @Test
  void archiveInProgramFolderComesFirst() throws Exception {
    run("--archive-classes");
    assertThat(output()).contains("created " + home);

    assertThat(start()).contains(ARCHIVE_OPTION + home);
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void trainingHasNeitherSettingsNorOptionsOfTheProxy() throws Exception {
    environment.put("CALLCONTEXT_STORE", "redis");
    environment.put("JAVA_OPTS", "-javaagent:agent.jar");
    training("env >" + folder.resolve("environment") + "; pwd; echo classes >\"$archive\"");
    assertThat(start()).contains("-javaagent:agent.jar");
    assertThat(trainings()).singleElement(STRING).doesNotContain("agent");
    assertThat(folder.resolve("environment"))
        .content()
        .doesNotContain("redis")
        .contains("KAFKA_BROKERS=127.0.0.1:9")
        .contains("PWD=" + home + "/share\n");
  }

  @Test
  void argumentsCreateNoArchive() throws Exception {
    run("--version");
    assertThat(trainings()).isEmpty();
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void optionsOfTheUserComeLast() throws Exception {
    start();
    environment.put("JAVA_OPTS", "-XX:SharedArchiveFile=own -XX:-ExitOnOutOfMemoryError");
    assertThat(start())
        .matches(".*-XX:\\+ExitOnOutOfMemoryError .* -XX:SharedArchiveFile=own .*OutOfMemory.*\n?");
  }

  /** Java would not start with both. */
  @Test
  void archiveOfTheUserReplacesTheDefault() throws Exception {
    start();
    for (String variable : List.of("JAVA_OPTS", "JAVA_TOOL_OPTIONS")) {
      for (String option :
          List.of("-XX:AOTCache=own", "-XX:SharedArchiveFile=own", "-Xshare:off")) {
        environment.put(variable, option);
        assertThat(start()).as(option).doesNotContain(ARCHIVE_OPTION + archive());
      }
      environment.remove(variable);
    }
    assertThat(trainings()).hasSize(1);
  }

  @Test
  void initialHeapOfTheUserReplacesTheDefault() throws Exception {
    assertThat(start()).contains(" -Xms24m ");
    for (String option : List.of("-Xms1g", "-XX:MinHeapSize=1g", "-XX:InitialRAMPercentage=5")) {
      environment.put("JAVA_OPTS", option);
      assertThat(start()).doesNotContain("-Xms24m");
    }
  }

  /** An unknown option would end the start. */
  @Test
  void freedMemoryIsReturnedIfJavaCan() throws Exception {
    for (String version : List.of("17.0.15", "17.0.20", "21.0.13", "22", "25.0.1", "30")) {
      releaseOfJava(version);
      assertThat(start()).as(version).contains(" -XX:TrimNativeHeapInterval=30000 ");
    }
    for (String version : List.of("17", "17.0.1", "17.0.14", "18.0.2", "20.0.15", "21.0.2", "21")) {
      releaseOfJava(version);
      assertThat(start()).as(version).doesNotContain("TrimNativeHeapInterval");
    }
  }

  @Test
  void memoryLimitSizesHeapAndOtherMemory() throws Exception {
    assertThat(start()).doesNotContain("-Xmx", "maxCachedBufferSize", "ReservedCodeCacheSize");
    for (String[] expected :
        new String[][] {
          {
            "192",
            " -Xmx56m -XX:ReservedCodeCacheSize=34m -XX:TieredStopAtLevel=1 -Djdk.nio.maxCachedBufferSize=262144 "
          },
          {
            "256",
            " -Xmx120m -XX:ReservedCodeCacheSize=34m -XX:TieredStopAtLevel=1 -Djdk.nio.maxCachedBufferSize=262144 "
          },
          {
            "384",
            " -Xmx192m -XX:ReservedCodeCacheSize=48m -Djdk.nio.maxCachedBufferSize=262144 -XX:+UseSerialGC "
          },
          {
            "512",
            " -Xmx320m -XX:ReservedCodeCacheSize=48m -Djdk.nio.maxCachedBufferSize=262144 -XX:+UseSerialGC "
          },
          {
            "1024",
            " -Xmx717m -XX:ReservedCodeCacheSize=76m -Djdk.nio.maxCachedBufferSize=262144 -XX:+UseSerialGC "
          }
        }) {
      kernel.limit("/sys/fs/cgroup/memory.max", Long.parseLong(expected[0]));
      assertThat(start()).as(expected[0] + " MiB").contains(expected[1]);
    }
  }

  @Test
  void smallestLimitOfAllGroupsCounts() throws Exception {
    kernel.write("/proc/self/cgroup", "0::/system.slice/ari-proxy.service\n");
    kernel.limit("/sys/fs/cgroup/system.slice/memory.max", 512);
    kernel.write("/sys/fs/cgroup/system.slice/ari-proxy.service/memory.max", "max\n");
    assertThat(start()).contains(" -Xmx320m ");

    kernel.limit("/sys/fs/cgroup/system.slice/ari-proxy.service/memory.max", 256);
    assertThat(start()).contains(" -Xmx120m ");
  }

  /** A container of the first version sees the path of the host, but only its own folder. */
  @Test
  void limitOfFirstVersionOfControlGroupsCounts() throws Exception {
    kernel.write("/proc/self/cgroup", "8:pids:/docker/1\n4:memory:/docker/1\n0::/\n");
    kernel.limit("/sys/fs/cgroup/memory/memory.limit_in_bytes", 256);
    assertThat(start()).contains(" -Xmx120m ");

    kernel.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assertThat(start()).doesNotContain("-Xmx");
  }

  @Test
  void limitAboveMemoryOfMachineDoesNotCount() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 65_536);
    assertThat(start()).doesNotContain("-Xmx");
  }

  /** In a container of LXC, the kernel's files show the limit as the memory of the machine. */
  @Test
  void limitOfAllMemoryOfMachineCounts() throws Exception {
    kernel.write("/proc/meminfo", "MemTotal:         262144 kB\n");
    kernel.limit("/sys/fs/cgroup/memory.max", 256);
    assertThat(start()).contains(" -Xmx120m ");
  }

  @Test
  void limitCountsIfMemoryOfMachineIsUnknown() throws Exception {
    Files.delete(kernel.path("/proc/meminfo"));
    kernel.limit("/sys/fs/cgroup/memory.max", 256);
    assertThat(start()).contains(" -Xmx120m ");

    kernel.write("/sys/fs/cgroup/memory.max", "99999999999999999999\n");
    assertThat(start()).doesNotContain("-Xmx");
  }

  /** Above it, the kernel stops the process again and again. */
  @Test
  void limitThatDelaysCounts() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 512);
    kernel.limit("/sys/fs/cgroup/memory.high", 256);
    assertThat(start()).contains(" -Xmx120m ");
  }

  /** Java has no code cache of more than 2 GiB. */
  @Test
  void codeCacheOfLargeLimitIsJavasDefault() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 32_768);
    assertThat(start()).contains(" -Xmx22938m ").doesNotContain("CodeCacheSize");
  }

  @Test
  void onlyWholeOptionsOfTheUserCount() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 256);
    for (String option : List.of("-Da=1\n-Xmx99m", "-Da=1\t-Xmx99m", "-Da=1\t@file")) {
      environment.put("JAVA_TOOL_OPTIONS", option);
      assertThat(start()).as(option).doesNotContain("-Xmx120m");
    }
    for (String option : List.of("-Da=-Xmx99m", "-XX:NonProfiledCodeHeapSize=9m")) {
      environment.put("JAVA_TOOL_OPTIONS", option);
      assertThat(start()).as(option).contains(" -Xmx120m ");
    }
  }

  @Test
  void sizesOfTheUserReplaceThoseOfTheLimit() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 256);
    for (String option : List.of("-Xmx99m", "-Xms99m", "-XX:MaxRAMPercentage=70", "@file")) {
      environment.put("JAVA_TOOL_OPTIONS", option);
      assertThat(start())
          .as(option)
          .doesNotContain("-Xmx120m", "maxCachedBufferSize", "TieredStopAtLevel");
    }
    environment.put("JAVA_TOOL_OPTIONS", "-XX:ReservedCodeCacheSize=40m");
    assertThat(start()).contains(" -Xmx120m ").doesNotContain("ReservedCodeCacheSize");
  }

  @Test
  void limitBelowMinimumEndsStart() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 191);
    Process process = process();
    assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo(
            "ari-proxy: memory limit of 191 MiB is too small; raise it to 192 MiB or more\n");
    assertThat(process.waitFor()).isEqualTo(78);
    environment.put("EXIT_CODE_WITHOUT_RESTART", "0");
    run();
    assertThat(output()).contains("memory limit of 191 MiB is too small");
    assertThat(calls()).isEmpty();

    run("--version");
    assertThat(calls()).singleElement(STRING).doesNotContain("-Xmx");
    environment.put("JAVA_OPTS", "-Xmx40m");
    assertThat(start()).contains("-Xmx40m");
  }

  @Test
  void missingJavaEndsStartForGood() throws Exception {
    environment.put("JAVA_HOME", folder.resolve("missing").toString());
    assertThat(process().waitFor()).isEqualTo(78);
    environment.put("EXIT_CODE_WITHOUT_RESTART", "0");
    assertThat(process().waitFor()).isZero();
    assertThat(process("--version").waitFor()).isEqualTo(78);
  }

  /** It needs more memory than is left. */
  @Test
  void smallLimitCreatesNoArchive() throws Exception {
    kernel.limit("/sys/fs/cgroup/memory.max", 512);
    start();
    assertThat(trainings()).isEmpty();
    assertThat(state).isEmptyDirectory();
  }

  @Test
  void changedLibraryOrFolderIsAnotherArchive() throws Exception {
    start();
    Path old = archive();
    Files.createDirectory(home.resolve("lib"));
    Files.writeString(home.resolve("lib/a.jar"), "a");
    assertThat(start()).doesNotContain(ARCHIVE_OPTION);
    assertThat(archive()).isNotEqualTo(old);
  }

  @Test
  void collectorOfTheUserReplacesTheDefault() throws Exception {
    assertThat(start()).contains(" -XX:+UseSerialGC ");
    for (String variable :
        List.of("JAVA_OPTS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS")) {
      for (String options : List.of("-Xmx1g -XX:+UseG1GC", "@file", "-XX:VMOptionsFile=file")) {
        environment.put(variable, options);
        assertThat(start()).as(variable + "=" + options).doesNotContain("UseSerialGC");
      }
      environment.remove(variable);
    }
  }

  /** Runs the proxy and the process that it leaves behind, and returns the arguments of Java. */
  private String start() throws Exception {
    return run();
  }

  private String run(String... arguments) throws Exception {
    List<String> before = calls();
    Process process = process(arguments);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    Files.writeString(folder.resolve("output"), output);
    List<String> started =
        calls().stream()
            .skip(before.size())
            .filter(call -> !call.contains("ArchiveClassesAtExit") && !call.contains("-Xshare:on"))
            .toList();
    return String.join("\n", started);
  }

  /** Its end is that of the process that creates the archive, which has the same output. */
  private Process process(String... arguments) throws IOException {
    String script = home.resolve("bin/ari-proxy").toString();
    List<String> command =
        Stream.concat(
                Stream.of("bash", "-o", "pipefail", "-c", "\"$0\" \"$@\" 2>&1 | cat", script),
                Stream.of(arguments))
            .toList();
    ProcessBuilder builder = ChildProcess.builder(command);
    builder.environment().putAll(environment);
    return builder.start();
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("output"));
  }

  private List<String> calls() throws IOException {
    return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
  }

  private List<String> trainings() throws IOException {
    return calls().stream().filter(call -> call.contains("ArchiveClassesAtExit")).toList();
  }

  /** Returns the only file in the state folder. */
  private Path archive() throws IOException {
    try (Stream<Path> files = Files.list(state)) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      return all.get(0);
    }
  }

  private void releaseOfJava(String version) throws IOException {
    Files.writeString(
        java.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
  }

  /**
   * Replaces {@code java} with one that runs these commands to create {@code $archive}, and rejects
   * archives with other content than {@code classes}.
   */
  private void training(String commands) throws IOException {
    Path program = java.resolve("bin/java");
    Files.writeString(
        program,
        """
        #!/bin/sh
        echo "$@" >>%s
        for argument in "$@"; do
          case $argument in
            -XX:ArchiveClassesAtExit=*)
              archive=${argument#*=}
              %s
              ;;
            -XX:SharedArchiveFile=*.new) grep -q classes "${argument#*=}" || exit 1 ;;
          esac
        done
        """
            .formatted(calls, commands));
    permit(program, "rwxr-xr-x");
  }

  private static void permit(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }
}
