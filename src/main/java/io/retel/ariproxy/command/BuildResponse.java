// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.component.lanes.LanesConstants;
import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.OutgoingRecord;
import io.retel.ariproxy.logging.PayloadLog;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/** Builds the RESPONSE for a command, and caches it if the command may have been executed. */
public final class BuildResponse implements Processor {

  private final Envelopes envelopes;
  private final ResponseCache responseCache;
  private final int maxResponseBodyBytes;
  private final PayloadLog payloads;

  /**
   * @param maxResponseBodyBytes the largest response body to publish, in bytes
   */
  public BuildResponse(
      Envelopes envelopes,
      ResponseCache responseCache,
      int maxResponseBodyBytes,
      PayloadLog payloads) {
    this.payloads = payloads;
    this.envelopes = envelopes;
    this.responseCache = responseCache;
    this.maxResponseBodyBytes = maxResponseBodyBytes;
  }

  /** Builds the RESPONSE from the HTTP response in the message. */
  @Override
  public void process(Exchange exchange) throws IOException {
    build(exchange, readResponse(exchange.getMessage()));
  }

  /** Builds the RESPONSE from a result of Asterisk or the proxy. */
  void build(Exchange exchange, CommandResult result) {
    Command command = Objects.requireNonNull(CommandProperties.command(exchange));
    exchange.setProperty(CommandProperties.RESULT, result);
    exchange.setProperty(LanesConstants.HAS_RESULT, true);
    byte[] envelope = envelopes.response(command.original(), command.resources(), result);
    if (result.isSent()) {
      responseCache.put(command, envelope);
    }
    OutgoingRecord.prepare(exchange, command.orderingKey(), envelope, false);
    payloads.logPublished(envelope);
  }

  private CommandResult readResponse(Message message) throws IOException {
    int status = message.getHeader(Exchange.HTTP_RESPONSE_CODE, int.class);
    String contentType = message.getHeader(Exchange.CONTENT_TYPE, String.class);
    byte[] body = new byte[0];
    if (message.getBody() instanceof InputStream in) {
      try (in) {
        body = in.readNBytes(maxResponseBodyBytes + 1);
      }
    }
    if (body.length > maxResponseBodyBytes) {
      return new CommandResult.Failure(
          413,
          "Asterisk responded "
              + status
              + " with a body of more than "
              + maxResponseBodyBytes
              + " bytes (ari.max-response-body)",
          CommandResult.Outcome.ANSWERED);
    }
    return CommandResult.of(status, contentType, body);
  }
}
