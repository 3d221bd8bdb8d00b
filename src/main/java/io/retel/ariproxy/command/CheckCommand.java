// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.component.lanes.GroupActivity;
import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.text.LogText;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Rejects a command that must not be sent (docs/contract.md#commands): 400, 403, 409 or 410, 413
 * for a body larger than Asterisk accepts or too many subscriptions, and 503 while earlier commands
 * of its operation or call hang.
 *
 * <p>Asterisk itself responds 413, or 400 to an overlong request line, but closes the connection
 * before it has read the request, so its response can be lost (16.28.0 and 22.10.1: from 40,961
 * bytes of body, from 4,096 of request line).
 */
public final class CheckCommand implements Processor {

  private static final int MAX_REQUEST_LINE = 4_095;

  /** Length of the request line without method, path below {@code /ari} and query. */
  private static final int REQUEST_LINE_OVERHEAD = " /ari HTTP/1.1\r\n".length();

  private final AllowedOperations allowed;
  private final StasisApplications applications;
  private final Subscriptions subscriptions;
  private final long maxRequestBodyBytes;
  private final Duration maxAge;
  private final InstantSource clock;

  /**
   * @param allowed the allowed operations
   * @param applications the Stasis applications; no command changes a lost one
   * @param subscriptions those set by commands, which are limited
   * @param maxRequestBodyBytes the largest body of a command, in bytes
   * @param maxAge the maximum age of a command; zero for no limit
   * @param clock the time
   */
  public CheckCommand(
      AllowedOperations allowed,
      StasisApplications applications,
      Subscriptions subscriptions,
      long maxRequestBodyBytes,
      Duration maxAge,
      InstantSource clock) {
    this.allowed = allowed;
    this.applications = applications;
    this.subscriptions = subscriptions;
    this.maxRequestBodyBytes = maxRequestBodyBytes;
    this.maxAge = maxAge;
    this.clock = clock;
  }

  @Override
  public void process(Exchange exchange) throws EarlierCommandsHangException {
    Command.Accepted command = CommandProperties.acceptedCommand(exchange);
    allowed.check(command);
    checkApplication(command);
    checkLists(command);
    checkSize(command);
    checkAge(command);
    GroupActivity hangingOperation =
        exchange.getProperty(LanesConstants.HANGING_GROUP, GroupActivity.class);
    if (hangingOperation != null) {
      throw EarlierCommandsHangException.of(hangingOperation);
    }
    if (exchange.getProperty(LanesConstants.FOLLOWS_HANGING, false, boolean.class)) {
      throw EarlierCommandsHangException.ofCall();
    }
    SubscriptionReservation.reserve(exchange, command, subscriptions);
  }

  /** Another client controls a lost application, and its calls. */
  private void checkApplication(Command.Accepted command) {
    if (applications.lost().isEmpty() || command.request().method().equals("GET")) {
      return;
    }
    AriParameters parameters = command.prepared().parameters();
    List<Resource> resources = new ArrayList<>(command.resources());
    resources.addAll(parameters.namedResources());
    applications
        .lostOwner(resources, command.callContext())
        .or(
            () ->
                parameters.assignedCallContexts().stream()
                    .flatMap(assigned -> applications.lostOwner(List.of(), assigned).stream())
                    .findFirst())
        .ifPresent(
            application -> {
              throw new CommandRejectedException(
                  409,
                  "Another client of Asterisk has taken over the Stasis application "
                      + application);
            });
  }

  private static void checkLists(Command.Accepted command) {
    command
        .prepared()
        .parameters()
        .malformedList()
        .ifPresent(
            name -> {
              throw new CommandRejectedException(
                  400,
                  "The list "
                      + LogText.abbreviate(name)
                      + " in the command's body has an element that is not a string; Asterisk"
                      + " crashes on it");
            });
  }

  private void checkSize(Command.Accepted command) {
    AriRequest request = command.request();
    int requestLineLength =
        request.method().length()
            + request.path().length()
            + (request.query() == null ? 0 : 1 + request.query().length())
            + REQUEST_LINE_OVERHEAD;
    if (requestLineLength > MAX_REQUEST_LINE) {
      throw new CommandRejectedException(
          400,
          "The command's url results in a request line of "
              + requestLineLength
              + " bytes; the limit is "
              + MAX_REQUEST_LINE
              + "; move parameters to the body");
    }
    byte[] body = request.body();
    if (body != null && body.length > maxRequestBodyBytes) {
      throw new CommandRejectedException(
          413,
          "The command's body has "
              + body.length
              + " bytes; the limit is "
              + maxRequestBodyBytes
              + " (ari.max-request-body)");
    }
  }

  private void checkAge(Command.Accepted command) {
    Instant now = clock.instant();
    if (command.expiresAt() != null && !now.isBefore(command.expiresAt())) {
      throw new CommandRejectedException(410, "The command expired at " + command.expiresAt());
    }
    if (!maxAge.isZero() && now.isAfter(command.origin().timestamp().plus(maxAge))) {
      throw new CommandRejectedException(
          410,
          "The command's record is from "
              + command.origin().timestamp()
              + ", older than commands.max-age ("
              + maxAge.toSeconds()
              + " s)");
    }
  }
}
