package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.Resource;
import java.util.List;

/**
 * A command as it was read, whether it can be carried out or not.
 *
 * @param origin where it stands in Kafka
 * @param callContext the call that its RESPONSE belongs to, or null if none is known
 * @param commandId the controller's id for it, as JSON, or null
 * @param method the HTTP method as the controller wrote it, or null
 * @param url the url as the controller wrote it, or null
 * @param request what is sent to Asterisk, or null if it is rejected
 * @param resources those in the path, then those that it creates
 * @param created those that it creates, second legs included
 * @param rejection why it is not carried out, or null
 */
public record Command(
    Origin origin,
    String callContext,
    JsonNode commandId,
    String method,
    String url,
    AriRequest request,
    List<Resource> resources,
    List<Resource> created,
    CommandRejectedException rejection) {

  /** The name of the exchange property that carries the command through its route. */
  public static final String PROPERTY = "command";

  /**
   * The key whose order counts: the call context; without one, the record's key; without that,
   * none.
   */
  public String lane() {
    return callContext != null ? callContext : origin.key();
  }

  /** For the log: without the query, and without what was refused. */
  @Override
  public String toString() {
    return (request == null
            ? "what is not sent"
            : request.method() + " " + Shortened.text(request.path()))
        + " (command "
        + Shortened.text(String.valueOf(commandId))
        + " of "
        + Shortened.text(callContext)
        + ", "
        + origin
        + ")";
  }
}
