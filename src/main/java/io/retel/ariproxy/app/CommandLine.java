// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.error.StartupErrors;
import io.retel.ariproxy.health.HealthCommand;
import io.retel.ariproxy.logging.LogLevels;
import io.retel.ariproxy.text.LogText;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Command-line options. The configuration of the proxy is in its settings only. */
public final class CommandLine {

  /** Exit code for an unknown argument (EX_USAGE of sysexits.h). */
  static final int EXIT_USAGE = 64;

  /** Exit code of {@code --health} if the proxy is not alive. */
  static final int EXIT_NOT_ALIVE = 1;

  /** Exit code of {@code check} and {@code try} if a route file would not load, or a step fails. */
  static final int EXIT_INVALID_ROUTES = 1;

  private static final String CHECK = "check";
  private static final String TRY = "try";
  private static final String SCHEMA = "schema";

  private static final String HELP =
      """
      ari-proxy connects an Asterisk to Apache Kafka: it publishes call events to one topic and
      consumes commands from another.

      Usage:  ari-proxy              runs until SIGTERM or Ctrl-C
              ari-proxy --health     checks whether the proxy on this host is alive
              ari-proxy --archive-classes
                                     with bin/ari-proxy: already the first start is fast
              ari-proxy check [FOLDER]
                                     checks, without servers, whether the route files would
                                     load; default: the proxy's routes
              ari-proxy try FOLDER (--event FILE | --command FILE | --answer FILE)...
                                     runs messages through the route files, without servers, and
                                     prints each step and what would be sent; an answer is what
                                     HTTP services respond afterward
              ari-proxy schema       prints the JSON Schema of route files, for editors
              ari-proxy --help
              ari-proxy --version

      config/ contains the settings, each explained, and routes/ the Camel routes. An environment
      variable overrides each setting: KAFKA_COMMANDS_TOPIC is kafka.commands-topic. To read a secret
      from a file, append _FILE: ARI_PASSWORD_FILE. Required settings without a default:

      %s

      Java environment:
        JAVA_HOME  Java 17 or later; default: the one on the PATH
        JAVA_OPTS  JVM options, such as -Xmx1g
        STATE_DIRECTORY
                   folder of the archive of Java's classes, which the first start creates for
                   the next one; set by systemd; default: /var/lib/ari-proxy, empty: none

      Supervision:
        EXIT_CODE_WITHOUT_RESTART=0
                   exits with 0 in place of 69 and 78, for container engines, which restart after
                   any other code

      Exit codes:
        143, 130   stopped by SIGTERM or Ctrl-C, after completing work in flight
        1          failed to start, with the reason in the log; --health: not alive; check, try: a
                   route file would not load, or a step failed
        3          out of memory, at any time; also with java -jar
        64         unknown argument; check, try: a folder or file cannot be read
        69         another client replaced this one in the Stasis application: do not restart
        78         a setting is missing or malformed, a route file is invalid, or Java is missing
      """;

  private CommandLine() {}

  /**
   * Executes a command-line option.
   *
   * @param configuration the settings file
   * @param partialSettings reads the settings, with some value for each required one that is
   *     missing
   * @return the exit code; empty without arguments, in which case the proxy must run
   */
  public static OptionalInt execute(
      String[] arguments,
      Path configuration,
      Supplier<Settings> partialSettings,
      PrintStream out,
      PrintStream err) {
    if (arguments.length == 0) {
      return OptionalInt.empty();
    }
    boolean checks = arguments[0].equals(CHECK) && arguments.length <= 2;
    boolean describes = arguments[0].equals(SCHEMA) && arguments.length == 1;
    List<TryRoutes.Input> inputs = arguments[0].equals(TRY) ? inputs(arguments) : List.of();
    if (checks || describes || !inputs.isEmpty()) {
      LogLevels.silence();
      try {
        Settings partial = partialSettings.get();
        if (describes) {
          new RouteSchema(configuration, partial).print(out);
          return OptionalInt.of(0);
        }
        Path folder =
            Path.of(arguments.length > 1 ? arguments[1] : partial.get(Setting.ROUTES_DIRECTORY));
        boolean valid =
            checks
                ? new CheckRoutes(configuration, partial).run(folder, out)
                : new TryRoutes(configuration, partial).run(folder, inputs, out);
        return OptionalInt.of(valid ? 0 : EXIT_INVALID_ROUTES);
      } catch (InvalidSettingException | IllegalStateException e) {
        // not logged
        print(err, "ari-proxy: " + StartupErrors.singleLine(e));
        return OptionalInt.of(EXIT_USAGE);
      }
    }
    switch (arguments.length == 1 ? arguments[0] : "") {
      case "--help", "-h" -> out.print(help());
      case "--version" -> out.println(version());
      case "--health" -> {
        HealthCommand.Result result = HealthCommand.run(partialSettings.get());
        print(result.alive() ? out : err, result.message());
        return OptionalInt.of(result.alive() ? 0 : EXIT_NOT_ALIVE);
      }
      default -> {
        print(
            err,
            "ari-proxy: unknown argument '%s' (see ari-proxy --help)"
                .formatted(LogText.abbreviate(String.join(" ", arguments))));
        return OptionalInt.of(EXIT_USAGE);
      }
    }
    return OptionalInt.of(0);
  }

  /** Returns the messages to try; empty if an option is unknown. */
  private static List<TryRoutes.Input> inputs(String[] arguments) {
    List<TryRoutes.Input> inputs = new ArrayList<>();
    if (arguments.length % 2 != 0) {
      return List.of();
    }
    for (int i = 2; i < arguments.length; i += 2) {
      Path file = Path.of(arguments[i + 1]);
      switch (arguments[i]) {
        case "--event" -> inputs.add(new TryRoutes.Input(TryRoutes.Kind.EVENT, file));
        case "--command" -> inputs.add(new TryRoutes.Input(TryRoutes.Kind.COMMAND, file));
        case "--answer" -> inputs.add(new TryRoutes.Input(TryRoutes.Kind.ANSWER, file));
        default -> {
          return List.of();
        }
      }
    }
    return inputs;
  }

  /** Prints a line with foreign text, such as what responds on the management port. */
  private static void print(PrintStream stream, String line) {
    stream.println(LogText.escape(line, LogText.MAX_MESSAGE_LENGTH));
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
        .formatted(version == null ? "(not packaged)" : version, Runtime.version());
  }
}
