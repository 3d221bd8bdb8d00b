// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.OutgoingRecord;
import io.retel.ariproxy.logging.PayloadLog;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.jspecify.annotations.Nullable;

/** Builds the RESPONSE for a command, and caches it if the command may have been executed. */
public final class BuildResponse implements Processor {

  /** Largest body that is read without waiting for others, in bytes. */
  static final int SMALL_BODY_BYTES = 16_384;

  private final Envelopes envelopes;
  private final ResponseCache responseCache;
  private final int maxResponseBodyBytes;
  private final LargeResponseLimiter limiter;
  private final PayloadLog payloads;

  /**
   * @param maxResponseBodyBytes the largest response body to publish, in bytes
   * @param limiter limits the heap of large responses
   */
  public BuildResponse(
      Envelopes envelopes,
      ResponseCache responseCache,
      int maxResponseBodyBytes,
      LargeResponseLimiter limiter,
      PayloadLog payloads) {
    this.payloads = payloads;
    this.envelopes = envelopes;
    this.responseCache = responseCache;
    this.maxResponseBodyBytes = maxResponseBodyBytes;
    this.limiter = limiter;
  }

  /** Builds the RESPONSE from the HTTP response in the message. */
  @Override
  public void process(Exchange exchange) throws IOException, InterruptedException {
    build(exchange, readResponse(exchange));
  }

  /** Builds the RESPONSE from a result of Asterisk or the proxy. */
  void build(Exchange exchange, CommandResult result) {
    Command command = Objects.requireNonNull(CommandProperties.command(exchange));
    byte[] envelope = envelopes.response(command.original(), command.resources(), result);
    exchange.setProperty(CommandProperties.RESULT, result);
    exchange.setProperty(CommandProperties.OUTCOME, CommandOutcome.of(result));
    exchange.setProperty(CommandProperties.RESPONSE, envelope);
    exchange.setProperty(LanesConstants.HAS_RESULT, true);
    if (result.isSent()) {
      responseCache.put(command, envelope);
    }
    prepare(exchange, command, envelope);
    payloads.logPublished(envelope);
  }

  /** Prepares the RESPONSE that was built before to be published again. */
  static void repeat(Exchange exchange) {
    prepare(
        exchange,
        Objects.requireNonNull(CommandProperties.command(exchange)),
        CommandProperties.response(exchange));
  }

  private static void prepare(Exchange exchange, Command command, byte[] envelope) {
    OutgoingRecord.prepare(exchange, command.orderingKey(), envelope, false);
    OutgoingRecord.onInFlight(exchange, () -> releaseBody(exchange));
  }

  /** Makes the body collectable, since the envelope contains it. */
  private static void releaseBody(Exchange exchange) {
    CommandResult result = CommandProperties.result(exchange);
    if (result != null) {
      exchange.setProperty(CommandProperties.RESULT, result.withoutLargeBody());
    }
    LargeResponseLimiter.release(exchange);
  }

  private CommandResult readResponse(Exchange exchange) throws IOException, InterruptedException {
    Message message = exchange.getMessage();
    int status = message.getHeader(Exchange.HTTP_RESPONSE_CODE, int.class);
    String contentType = message.getHeader(Exchange.CONTENT_TYPE, String.class);
    if (!(message.getBody() instanceof InputStream in)) {
      return new CommandResult.Status(status);
    }
    try (in) {
      byte[] body = in.readNBytes(Math.min(maxResponseBodyBytes, SMALL_BODY_BYTES) + 1);
      if (body.length > maxResponseBodyBytes) {
        return tooLarge(status);
      }
      if (body.length <= SMALL_BODY_BYTES) {
        return CommandResult.of(status, contentType, body);
      }
      Long declared = declaredLength(message);
      if (declared != null && declared > maxResponseBodyBytes) {
        return tooLarge(status);
      }
      int maxLength = declared == null ? maxResponseBodyBytes : declared.intValue();
      boolean atOnce = limiter.tryAcquire(exchange, maxLength);
      if (!atOnce && !awaitHeap(exchange, maxLength)) {
        return noHeap(exchange, status);
      }
      byte @Nullable [] complete;
      try {
        complete = readRest(body, in, maxLength);
      } catch (IOException e) {
        if (atOnce) {
          throw e;
        }
        // the wait has used the time for reading
        return noHeap(exchange, status);
      }
      return complete == null ? tooLarge(status) : CommandResult.of(status, contentType, complete);
    }
  }

  /**
   * Returns the length that HttpClient has parsed; null for a chunked body, and for a compressed
   * one, which the client uncompresses.
   */
  private static @Nullable Long declaredLength(Message message) {
    return message.getHeader(Exchange.CONTENT_LENGTH, Long.class);
  }

  private boolean awaitHeap(Exchange exchange, int bodyBytes) throws InterruptedException {
    // Asterisk has responded: the command does not hang
    exchange.setProperty(LanesConstants.HAS_RESULT, true);
    boolean acquired = limiter.acquire(exchange, bodyBytes);
    exchange.removeProperty(LanesConstants.HAS_RESULT);
    return acquired;
  }

  /**
   * Reads a body to its end, into one array if its length is known.
   *
   * @return the body, or null if it is larger than the largest one to publish
   */
  private static byte @Nullable [] readRest(byte[] start, InputStream in, int maxLength)
      throws IOException {
    byte[] body = Arrays.copyOf(start, Math.max(start.length, maxLength));
    int length = start.length + in.readNBytes(body, start.length, body.length - start.length);
    if (length < body.length) {
      return Arrays.copyOf(body, length);
    }
    return in.read() < 0 ? body : null;
  }

  private CommandResult tooLarge(int status) {
    return unpublished(
        status, "a body of more than " + maxResponseBodyBytes + " bytes (ari.max-response-body)");
  }

  private static CommandResult noHeap(Exchange exchange, int status) {
    CommandResult.Failure failure =
        unpublished(
            status,
            "a body that was not read in time, since other large ones take the heap for them"
                + " (ari.response-buffer-size)");
    BuildFailureResponse.log(exchange, failure);
    return failure;
  }

  private static CommandResult.Failure unpublished(int status, String reason) {
    return new CommandResult.Failure(
        413, "Asterisk responded " + status + " with " + reason, CommandResult.Outcome.ANSWERED);
  }
}
