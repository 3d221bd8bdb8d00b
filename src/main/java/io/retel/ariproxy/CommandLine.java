package io.retel.ariproxy;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.management.HealthCommand;
import java.io.PrintStream;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * What can be asked on the command line. How the proxy runs is said by its settings, and not there.
 */
final class CommandLine {

  /** Exit code for an argument that is none (EX_USAGE of sysexits.h). */
  static final int EXIT_USAGE = 64;

  /** Exit code for a proxy that is asked for its health, and has none. */
  static final int EXIT_NOT_ALIVE = 1;

  private static final String HELP =
      """
      ari-proxy connects an Asterisk to Apache Kafka: what happens in calls arrives on a topic, what
      shall happen is sent to a topic.

      Usage:  ari-proxy              runs until SIGTERM or Ctrl-C
              ari-proxy --health     asks the one that runs here whether it is alive
              ari-proxy --archive-classes
                                     with bin/ari-proxy, once after unpacking: starts are faster
              ari-proxy --help
              ari-proxy --version

      config/ has the settings, each explained, and routes/ the flows. An environment variable
      overrides each setting: KAFKA_COMMANDS_TOPIC is kafka.commands-topic. A secret may stand in a
      file that one with _FILE names: ARI_PASSWORD_FILE. These have no default:

      %s

      Environment of Java:
        JAVA_HOME  a Java, 17 or later, if not the one on the PATH
        JAVA_OPTS  its options, such as -Xmx1g

      Exit codes:
        143, 130   stopped by SIGTERM, by Ctrl-C: what was under way is finished
        1          it does not start, and says why; --health: it is not alive
        3          no memory is left
        64         an argument is none
        69         another client has taken over the Stasis application: do not start it again
        78         a setting is missing or malformed, a route file cannot be read, or Java is missing
      """;

  private CommandLine() {}

  /**
   * Answers what is asked.
   *
   * @param settings reads them, for a question that needs them
   * @return the exit code; empty if nothing is asked, so that the proxy is to run
   */
  static OptionalInt execute(
      String[] arguments, Supplier<Settings> settings, PrintStream out, PrintStream err) {
    if (arguments.length == 0) {
      return OptionalInt.empty();
    }
    switch (arguments.length == 1 ? arguments[0] : "") {
      case "--help", "-h" -> out.print(help());
      case "--version" -> out.println(version());
      case "--health" -> {
        HealthCommand.Result result = HealthCommand.run(settings.get());
        (result.alive() ? out : err).println(result.message());
        return OptionalInt.of(result.alive() ? 0 : EXIT_NOT_ALIVE);
      }
      default -> {
        err.println(
            "ari-proxy: what is meant by '%s'? ari-proxy --help tells what there is"
                .formatted(String.join(" ", arguments)));
        return OptionalInt.of(EXIT_USAGE);
      }
    }
    return OptionalInt.of(0);
  }

  private static String help() {
    return HELP.formatted(
        Setting.all().stream()
            .filter(Setting::isRequired)
            .map(setting -> "  " + setting.environmentVariable())
            .collect(Collectors.joining("\n")));
  }

  private static String version() {
    String version = CommandLine.class.getPackage().getImplementationVersion();
    return "ari-proxy %s, Java %s"
        .formatted(version == null ? "(not from its jar)" : version, Runtime.version());
  }
}
