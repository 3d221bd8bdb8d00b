package io.retel.ariproxy.command;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Fails on a command that is not to be sent, so that the route's error handling answers it
 * (contract.md section 4: 400, 403, 410), and on one whose body is larger than Asterisk takes: 413.
 *
 * <p>Asterisk says 413 by itself, and 400 to a request line that is too long, but closes the
 * connection before it has read the request, so that its answer may be lost (16.28.0 and 22.10.1:
 * from 40,961 bytes of body and from 4,096 of request line on).
 */
public final class CheckCommand implements Processor {

  private static final int MAX_REQUEST_LINE = 4_095;

  /** What stands in it beside the method and the path below ARI's. */
  private static final int REQUEST_LINE_OVERHEAD = " /ari HTTP/1.1\r\n".length();

  private final AllowedOperations allowed;
  private final long maxRequestBodyBytes;
  private final Duration maxAge;
  private final InstantSource clock;

  /**
   * @param allowed what may be sent
   * @param maxBodySize how large a command's body may be, in bytes
   * @param maxAge how old a command may be; zero for any age
   * @param clock the time
   */
  public CheckCommand(
      AllowedOperations allowed, long maxRequestBodyBytes, Duration maxAge, InstantSource clock) {
    this.allowed = allowed;
    this.maxRequestBodyBytes = maxRequestBodyBytes;
    this.maxAge = maxAge;
    this.clock = clock;
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    if (command.rejection() != null) {
      throw command.rejection();
    }
    allowed.check(command);
    checkSize(command);
    checkAge(command);
  }

  private void checkSize(Command command) {
    AriRequest request = command.request();
    int requestLineLength =
        request.method().length()
            + request.path().length()
            + (request.query() == null ? 0 : 1 + request.query().length())
            + REQUEST_LINE_OVERHEAD;
    if (requestLineLength > MAX_REQUEST_LINE) {
      throw new CommandRejectedException(
          400,
          "The command's url makes a request line of "
              + requestLineLength
              + " bytes, and Asterisk reads "
              + MAX_REQUEST_LINE
              + "; parameters may stand in the body");
    }
    byte[] body = request.body();
    if (body != null && body.length > maxRequestBodyBytes) {
      throw new CommandRejectedException(
          413,
          "The command's body has "
              + body.length
              + " bytes, and Asterisk takes "
              + maxRequestBodyBytes
              + " (ari.max-request-body)");
    }
  }

  private void checkAge(Command command) {
    Instant now = clock.instant();
    if (command.expiresAt() != null && !now.isBefore(command.expiresAt())) {
      throw new CommandRejectedException(410, "The command expired at " + command.expiresAt());
    }
    if (!maxAge.isZero() && now.isAfter(command.origin().timestamp().plus(maxAge))) {
      throw new CommandRejectedException(
          410,
          "The command is of "
              + command.origin().timestamp()
              + ", and commands.max-age allows no more than "
              + maxAge.toSeconds());
    }
  }
}
