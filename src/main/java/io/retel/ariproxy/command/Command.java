package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.logging.LogText;
import io.retel.ariproxy.logging.PayloadMasker;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/**
 * A command as it was read, whether it can be carried out or not.
 *
 * @param origin where it stands in Kafka
 * @param callContext the call that its RESPONSE belongs to, or null if none is known
 * @param commandId the controller's id for it, as JSON, or null
 * @param method the HTTP method as the controller wrote it, or null
 * @param url the url as the controller wrote it, but for a login that it must not have; or null
 * @param fingerprint tells what it asks for; null if it is rejected
 * @param expiresAt when its controller does not want it carried out any more, or null
 * @param prepared what is sent to Asterisk, or null if it is rejected
 * @param rejection why it is not carried out, or null
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

  /** The name of the exchange property that carries the command through its route. */
  public static final String PROPERTY = "command";

  /** What is sent to Asterisk, or null if it is rejected. */
  AriRequest request() {
    return prepared == null ? null : prepared.request();
  }

  /** The resources in the path, then those that it creates. */
  public List<Resource> resources() {
    return prepared == null ? List.of() : prepared.resources();
  }

  /** The resources that it creates, second legs included. */
  public List<Resource> created() {
    return prepared == null ? List.of() : prepared.created();
  }

  /** The resources that it takes over, if they belong to no call yet. */
  List<Resource> claimed() {
    return prepared == null ? List.of() : prepared.claimed();
  }

  /** The resources that its success ends. */
  List<Resource> ended() {
    return prepared == null ? List.of() : prepared.ended();
  }

  /**
   * The operation's name in ARI's documentation, like {@code POST /channels/{channelId}/answer}; of
   * one that is not known, method and path.
   */
  public String operation() {
    return prepared.template().orElseGet(() -> method + " " + request().path());
  }

  /**
   * The key whose order counts: the call context; without one, the record's key; without that,
   * none.
   */
  public String orderingKey() {
    return callContext != null ? callContext : origin.key();
  }

  /** For the log: without the query, and without what was refused. */
  @Override
  public String toString() {
    return (prepared == null
            ? "what is not sent"
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
