package io.retel.ariproxy.command;

import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.kafka.Publication;
import io.retel.ariproxy.logging.PayloadLog;
import java.io.IOException;
import java.io.InputStream;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;

/**
 * Makes what came of a command its RESPONSE, and remembers that if the command may have been
 * carried out.
 */
public final class WrapAnswer implements Processor {

  private final Envelopes envelopes;
  private final AnswerMemory answers;
  private final int maxBodySize;
  private final PayloadLog payloads;

  /**
   * @param maxBodySize the largest body of Asterisk's that is passed on, in bytes
   */
  public WrapAnswer(
      Envelopes envelopes, AnswerMemory answers, int maxBodySize, PayloadLog payloads) {
    this.payloads = payloads;
    this.envelopes = envelopes;
    this.answers = answers;
    this.maxBodySize = maxBodySize;
  }

  /** Asterisk has answered: the message is its answer. */
  @Override
  public void process(Exchange exchange) throws IOException {
    wrap(exchange, read(exchange.getMessage()));
  }

  /** Makes an answer the RESPONSE, whoever gives it. */
  void wrap(Exchange exchange, AriAnswer answer) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    exchange.setProperty(AriAnswer.PROPERTY, answer);
    byte[] envelope = envelopes.response(command, answer);
    if (answer.sent()) {
      answers.remember(command, envelope);
    }
    Publication.prepare(exchange, command.lane(), envelope, false);
    payloads.published(envelope);
  }

  private AriAnswer read(Message message) throws IOException {
    int status = message.getHeader(Exchange.HTTP_RESPONSE_CODE, int.class);
    String contentType = message.getHeader(Exchange.CONTENT_TYPE, String.class);
    byte[] body = new byte[0];
    if (message.getBody() instanceof InputStream in) {
      try (in) {
        body = in.readNBytes(maxBodySize + 1);
      }
    }
    if (body.length > maxBodySize) {
      return new AriAnswer.Failure(
          413,
          "Asterisk answered "
              + status
              + " with more than "
              + maxBodySize
              + " bytes; ari.max-body-size allows no more",
          AriAnswer.Outcome.ANSWERED);
    }
    return AriAnswer.of(status, contentType, body);
  }
}
