// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.envelope.CommandRequest;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.text.LogText;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A parsed command, accepted or rejected.
 *
 * <p>Routes read its fields, like {@code ${exchangeProperty.command.origin.topic}}
 * (docs/routes.md#exchange-properties).
 */
public sealed interface Command {

  /** The position of its record in Kafka. */
  RecordPosition origin();

  /** What its RESPONSE repeats of it. */
  CommandRequest original();

  /**
   * Returns the command if parsing accepted it.
   *
   * @throws CommandRejectedException with the reason, if parsing rejected it
   */
  Accepted accepted();

  /** The resources in the path, then those it creates; empty if rejected. */
  List<Resource> resources();

  /** The call context of its RESPONSE, or null if unknown. */
  default @Nullable String callContext() {
    return original().callContext();
  }

  /** The controller's id for it, as JSON, or null. */
  default @Nullable JsonNode commandId() {
    return original().commandId();
  }

  /** The HTTP method as the controller wrote it, or null. */
  default @Nullable String method() {
    return original().method();
  }

  /** The url as the controller wrote it, with credentials masked if rejected; or null. */
  default @Nullable String url() {
    return original().url();
  }

  /** The ordering key: the call context, else the record key, else null. */
  default @Nullable String orderingKey() {
    return callContext() != null ? callContext() : origin().key();
  }

  /**
   * A command with a request that can be sent to Asterisk.
   *
   * @param origin the position of its record in Kafka
   * @param original the command as its controller sent it, with its resolved call context
   * @param fingerprint identifies method, url and body
   * @param expiresAt the time after which the controller no longer wants it executed, or null
   * @param prepared the request to send to Asterisk
   */
  record Accepted(
      RecordPosition origin,
      CommandRequest original,
      UUID fingerprint,
      @Nullable Instant expiresAt,
      PreparedRequest prepared)
      implements Command {

    @Override
    public Accepted accepted() {
      return this;
    }

    @Override
    public List<Resource> resources() {
      return prepared.resources();
    }

    /** The request to send to Asterisk. */
    AriRequest request() {
      return prepared.request();
    }

    /** The resources it creates, including second legs. */
    public List<Resource> created() {
      return prepared.created();
    }

    /** The call context of the resources it creates or claims; present if there are any. */
    String callContextOfCreated() {
      return Objects.requireNonNull(callContext());
    }

    /** The resources it claims, if they belong to no call yet. */
    List<Resource> claimed() {
      return prepared.claimed();
    }

    /** The resources that end if it succeeds. */
    List<Resource> ended() {
      return prepared.ended();
    }

    /**
     * The operation's name in ARI's documentation, like {@code POST /channels/{channelId}/answer},
     * or method and path of an unknown operation.
     */
    public String operation() {
      return prepared.template().orElseGet(() -> method() + " " + request().path());
    }

    /**
     * The value of a parameter in the query or the body, in a route {@code
     * ${exchangeProperty.command.parameter('endpoint')}}; empty if it has none, or no text. Parses
     * the request on each use.
     */
    public String parameter(String name) {
      return prepared.parameters().text(name).orElse("");
    }

    /** For the log: without the query. */
    @Override
    public String toString() {
      String path = LogText.abbreviate(PayloadMasker.maskPath(request().path()));
      return logText(request().method() + " " + path, this);
    }
  }

  /**
   * A malformed command, which is never sent.
   *
   * @param origin the position of its record in Kafka
   * @param original the fields that could be read, without credentials; others are null
   * @param reason the reason for the rejection
   */
  record Rejected(RecordPosition origin, CommandRequest original, CommandRejectedException reason)
      implements Command {

    @Override
    public Accepted accepted() {
      throw reason;
    }

    @Override
    public List<Resource> resources() {
      return List.of();
    }

    /** For the log: without rejected content. */
    @Override
    public String toString() {
      return logText("rejected command", this);
    }
  }

  /** Id and call context are missing if the command has none, or if they could not be read. */
  private static String logText(String subject, Command command) {
    String id =
        command.commandId() == null
            ? ""
            : "command " + LogText.abbreviate(command.commandId().toString());
    String call =
        command.callContext() == null ? "" : "of " + LogText.abbreviate(command.callContext());
    String name = (id + " " + call).strip();
    return subject + " (" + name + (name.isEmpty() ? "" : ", ") + command.origin() + ")";
  }
}
