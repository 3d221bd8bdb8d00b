// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.SmallFile;
import io.retel.ariproxy.dryrun.DryRun;
import io.retel.ariproxy.text.LogText;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;

/** The command {@code try}: a dry run of events and commands through the files of a folder. */
final class TryRoutes {

  private static final int MAX_FILE_BYTES = 1 << 20;

  /** For all that follows from one message, retries and delays included. */
  private static final Duration TIMEOUT = Duration.ofMinutes(2);

  private final Path configuration;
  private final Settings settings;

  /** Kinds of messages. */
  enum Kind {
    /** An event, as Asterisk sends it. */
    EVENT,
    /** A command, as a controller sends it. */
    COMMAND,
    /** What HTTP services answer to the messages that follow, in place of {@code {}}. */
    ANSWER
  }

  /**
   * A message to run, or an answer.
   *
   * @param file its JSON
   */
  record Input(Kind kind, Path file) {}

  /**
   * @param configuration the settings file, which can contain properties of routes
   * @param settings required ones can have any value
   */
  TryRoutes(Path configuration, Settings settings) {
    this.configuration = configuration;
    this.settings = settings;
  }

  /**
   * Prints each step of each message, in the order of the messages.
   *
   * @param folder the route files; shipped ones that are not in it come from the proxy's folder
   * @return whether all files load and no step failed
   * @throws InvalidSettingException if a file of a message cannot be read
   */
  boolean run(Path folder, List<Input> inputs, PrintStream out) {
    DryRun dryRun = new DryRun(out);
    try (RoutesWithoutServers routes =
        new RoutesWithoutServers(configuration, settings, folder, dryRun::install)) {
      if (routes.results().stream().anyMatch(result -> !result.loads())) {
        routes.results().stream()
            .filter(result -> !result.loads())
            .forEach(result -> out.println(routes.describe(result)));
        return false;
      }
      for (Route route : routes.context().getRoutes()) {
        routes.context().getRouteController().startRoute(route.getRouteId());
      }
      DryRun.Result result = new DryRun.Result(0, 0);
      for (Input input : inputs) {
        if (input.kind() == Kind.ANSWER) {
          dryRun.answer(read(input.file()));
        } else {
          result = run(dryRun, routes.context(), input);
        }
      }
      routes.ownIds().stream()
          .filter(id -> !dryRun.hasReceived(id))
          .map(id -> LogText.escape(id, LogText.MAX_DETAIL_LENGTH) + " has received no message")
          .forEach(out::println);
      out.println(
          "%d sent, %s"
              .formatted(
                  result.sent(),
                  result.failures() == 0
                      ? "no step failed"
                      : "failed steps: " + result.failures()));
      return result.failures() == 0;
    } catch (InvalidSettingException e) {
      throw e;
    } catch (Exception e) {
      out.println(
          "The dry run ended: "
              + LogText.escape(String.valueOf(e.getMessage()), LogText.MAX_MESSAGE_LENGTH));
      return false;
    }
  }

  private DryRun.Result run(DryRun dryRun, CamelContext context, Input input) throws Exception {
    String text = read(input.file());
    String name = String.valueOf(input.file().getFileName());
    return input.kind() == Kind.EVENT
        ? dryRun.event(context, name, text, TIMEOUT)
        : dryRun.command(
            context,
            name,
            settings.get(Setting.KAFKA_COMMANDS_TOPIC),
            text.getBytes(StandardCharsets.UTF_8),
            TIMEOUT);
  }

  private static String read(Path file) {
    try {
      return SmallFile.readText(file, MAX_FILE_BYTES);
    } catch (SmallFile.UnsuitableFileException e) {
      throw new InvalidSettingException(file + " " + e.getMessage());
    } catch (IOException e) {
      throw new InvalidSettingException("cannot read " + e.getMessage());
    }
  }
}
