// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.AriOperations;
import io.retel.ariproxy.ari.AriOperations.Effect;
import io.retel.ariproxy.ari.AriOperations.Match;
import io.retel.ariproxy.ari.AriOperations.Operation;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.error.ErrorMessages;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A request ready to send, with its operation and resources.
 *
 * @param request the request
 * @param template the operation's name, or empty if {@link AriOperations} does not know it
 * @param resources those in the path, then those it creates
 * @param created those it creates, including second legs
 * @param hasGeneratedId whether the proxy generated the id, so that it is unique to this command
 * @param namesApplication whether its parameters outside the path name a Stasis application, such
 *     as that of a new or moved channel
 * @param claimed those it claims
 * @param ended those that end if it succeeds
 */
public record PreparedRequest(
    AriRequest request,
    Optional<String> template,
    List<Resource> resources,
    List<Resource> created,
    boolean hasGeneratedId,
    boolean namesApplication,
    List<Resource> claimed,
    List<Resource> ended) {

  private static final String LOCAL_PREFIX = "Local/";

  /**
   * Prepares a request. Adds an id for a new resource if it has none.
   *
   * @param origin the position from which a generated id is derived
   * @param body any JSON; missing or null for none
   * @throws CommandRejectedException with status 400, if the url is not a valid ARI url
   */
  public static PreparedRequest of(
      RecordPosition origin, String method, String url, JsonNode body) {
    AriUrl ariUrl = AriUrl.parse(url);
    Match match = AriOperations.find(method, ariUrl.segments());
    AriParameters parameters = new AriParameters(ariUrl, body);
    List<Resource> resources = new ArrayList<>(match.pathResources());
    List<Resource> created = new ArrayList<>(2);
    List<Resource> ended = List.of();
    boolean hasGeneratedId = false;

    Operation operation = match.operation().orElse(null);
    if (operation != null && operation.effect() == Effect.ENDS) {
      ended = List.of(last(match.pathResources()));
    } else if (operation != null && operation.effect() != Effect.NONE) {
      if (operation.hasIdInPath()) {
        created.add(withTarget(last(match.pathResources()), match.pathResources()));
      } else {
        String idParameter = Objects.requireNonNull(operation.idParameter());
        ResourceType type = Objects.requireNonNull(operation.type());
        Optional<String> id = parameters.text(idParameter);
        if (id.isEmpty() && operation.supportsGeneratedId()) {
          id = Optional.of(origin.derivedId(idParameter));
          parameters = parameters.with(idParameter, id.get());
          hasGeneratedId = true;
        }
        id.map(resourceId -> withTarget(new Resource(type, resourceId), match.pathResources()))
            .ifPresent(created::add);
        resources.addAll(created);
      }
      if (operation.secondLegParameter() != null) {
        Optional<String> secondLegId = parameters.text(operation.secondLegParameter());
        secondLegId.ifPresent(id -> resources.add(new Resource(ResourceType.CHANNEL, id)));
        if (isLocalChannel(parameters)) {
          // Asterisk derives the second leg's default id from the first one
          String id = secondLegId.orElse(created.get(0).id() + ";2");
          created.add(new Resource(ResourceType.CHANNEL, id));
        }
      }
    }
    // here, since the parsed body is not kept
    for (String assigned : parameters.assignedCallContexts()) {
      CommandParser.checkLength(AriEvent.CALL_CONTEXT_VARIABLE, assigned, Resource.MAX_ID_LENGTH);
    }
    boolean claims = operation != null && operation.effect() == Effect.CLAIMS;
    return new PreparedRequest(
        new AriRequest(method, ariUrl.path(), parameters.url().query(), parameters.bodyBytes()),
        match.operation().map(Operation::template),
        List.copyOf(resources),
        claims ? List.of() : List.copyOf(created),
        hasGeneratedId,
        parameters.namesApplication(),
        claims ? List.copyOf(created) : List.of(),
        ended);
  }

  /**
   * Returns the parameters outside the path. Parses url and body, since parsed ones take many times
   * the heap of their bytes while the command waits.
   */
  AriParameters parameters() {
    byte[] body = request.body();
    try {
      return new AriParameters(
          AriUrl.of(request.path(), request.query()),
          body == null ? MissingNode.getInstance() : CommandParser.JSON.readTree(body));
    } catch (IOException | NumberFormatException e) {
      // such as a number whose exponent overflows in the notation of Java
      throw new CommandRejectedException(
          400, "The command's body cannot be read again: " + ErrorMessages.ownMessage(e));
    }
  }

  /**
   * Whether it is a Local channel, which has two legs; Asterisk treats technology names as
   * case-insensitive.
   */
  private static boolean isLocalChannel(AriParameters parameters) {
    return parameters
        .text("endpoint")
        .filter(endpoint -> endpoint.regionMatches(true, 0, LOCAL_PREFIX, 0, LOCAL_PREFIX.length()))
        .isPresent();
  }

  /** Adds the target of a playback or recording: the channel or bridge at the start of the path. */
  private static Resource withTarget(Resource created, List<Resource> pathResources) {
    return created.type().isMedia()
        ? new Resource(created.type(), created.id(), Resource.target(pathResources.get(0)))
        : created;
  }

  private static Resource last(List<Resource> resources) {
    return resources.get(resources.size() - 1);
  }
}
