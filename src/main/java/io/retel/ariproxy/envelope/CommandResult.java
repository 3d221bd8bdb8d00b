// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import io.retel.ariproxy.ari.Resource;
import org.jspecify.annotations.Nullable;

/**
 * The result of a command: Asterisk's response, or the proxy's own failure
 * (docs/contract.md#commands). {@link Envelopes} writes it.
 */
public sealed interface CommandResult {

  /** Largest body that stays with its command until Kafka acknowledges the RESPONSE, in bytes. */
  int RETAINED_BODY_BYTES = 4_096;

  int status();

  /** Returns the result without its body, unless that is small. */
  default CommandResult withoutLargeBody() {
    return this;
  }

  /** Whether the request was sent to Asterisk. */
  default boolean isSent() {
    return true;
  }

  /** Whether Asterisk is known not to have executed the command. */
  default boolean hadNoEffect() {
    return status() >= 400;
  }

  /** Whether Asterisk may have executed the command, or may still execute it. */
  default boolean hasUnknownOutcome() {
    return false;
  }

  /** The outcome of a request. */
  enum Outcome {
    /** Nothing was sent; the command can be sent again. */
    NOT_SENT,
    /** The request was sent, and its effect is unknown. */
    UNKNOWN,
    /** Asterisk executed it, but its response could not be published. */
    ANSWERED
  }

  /** A response without a body. */
  record Status(int status) implements CommandResult {}

  /** A JSON response, published unchanged; its body is exactly one JSON value. */
  record Json(int status, byte[] body) implements CommandResult {

    @Override
    public CommandResult withoutLargeBody() {
      return body.length > RETAINED_BODY_BYTES ? new Status(status) : this;
    }

    /**
     * The {@link Resource#instance()} of a channel or bridge, if the body describes it; otherwise
     * empty.
     */
    public String instanceOf(Resource resource) {
      return ResponseBodies.instance(body, resource);
    }
  }

  /** A response in any other format, such as a recording file. */
  record Binary(int status, String contentType, byte[] body) implements CommandResult {
    @Override
    public CommandResult withoutLargeBody() {
      return body.length > RETAINED_BODY_BYTES ? new Status(status) : this;
    }
  }

  /** A failure reported by the proxy. */
  record Failure(int status, String message, Outcome outcome) implements CommandResult {
    @Override
    public boolean isSent() {
      return outcome != Outcome.NOT_SENT;
    }

    @Override
    public boolean hadNoEffect() {
      return outcome == Outcome.NOT_SENT;
    }

    @Override
    public boolean hasUnknownOutcome() {
      return outcome == Outcome.UNKNOWN;
    }
  }

  /**
   * Returns the result for an HTTP response.
   *
   * @param contentType its Content-Type, or null
   * @param body its body; empty if it has none
   */
  static CommandResult of(int status, @Nullable String contentType, byte[] body) {
    if (body.length == 0) {
      return new Status(status);
    }
    if ((contentType == null || ResponseBodies.isJsonType(contentType))
        && ResponseBodies.isJson(body)) {
      return new Json(status, body);
    }
    return new Binary(status, contentType == null ? "application/octet-stream" : contentType, body);
  }
}
