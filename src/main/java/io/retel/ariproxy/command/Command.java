// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.envelope.CommandRequest;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.text.LogText;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * A parsed command, valid or rejected.
 *
 * @param origin the position of its record in Kafka
 * @param callContext the call context of its RESPONSE, or null if unknown
 * @param commandId the controller's id for it, as JSON, or null
 * @param method the HTTP method as the controller wrote it, or null
 * @param url the url as the controller wrote it, with credentials masked if rejected; or null
 * @param fingerprint identifies method, url and body; null if rejected
 * @param expiresAt the time after which the controller no longer wants it executed, or null
 * @param prepared the request to send to Asterisk, or null if rejected
 * @param rejection the reason for the rejection, or null
 */
public record Command(
    RecordPosition origin,
    String callContext,
    JsonNode commandId,
    String method,
    String url,
    UUID fingerprint,
    Instant expiresAt,
    PreparedRequest prepared,
    CommandRejectedException rejection) {

  /** The exchange property that holds the command. */
  public static final String PROPERTY = "command";

  /** The command as its controller sent it. */
  public CommandRequest original() {
    return new CommandRequest(callContext, commandId, method, url);
  }

  /** The request to send to Asterisk, or null if rejected. */
  AriRequest request() {
    return prepared == null ? null : prepared.request();
  }

  /** The resources in the path, then those it creates. */
  public List<Resource> resources() {
    return prepared == null ? List.of() : prepared.resources();
  }

  /** The resources it creates, second legs included. */
  public List<Resource> created() {
    return prepared == null ? List.of() : prepared.created();
  }

  /** The resources it claims, if they belong to no call yet. */
  List<Resource> claimed() {
    return prepared == null ? List.of() : prepared.claimed();
  }

  /** The resources that end if it succeeds. */
  List<Resource> ended() {
    return prepared == null ? List.of() : prepared.ended();
  }

  /**
   * The operation's name in ARI's documentation, like {@code POST /channels/{channelId}/answer}, or
   * method and path of an unknown operation.
   */
  public String operation() {
    return prepared.template().orElseGet(() -> method + " " + request().path());
  }

  /** The ordering key: the call context, else the record key, else null. */
  public String orderingKey() {
    return callContext != null ? callContext : origin.key();
  }

  /** For the log: without the query, and without rejected content. */
  @Override
  public String toString() {
    return (prepared == null
            ? "rejected command"
            : request().method()
                + " "
                + LogText.abbreviate(PayloadMasker.maskPath(request().path())))
        + " (command "
        + LogText.abbreviate(String.valueOf(commandId))
        + " of "
        + LogText.abbreviate(callContext)
        + ", "
        + origin
        + ")";
  }
}
