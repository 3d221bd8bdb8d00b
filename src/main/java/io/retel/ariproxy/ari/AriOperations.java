// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static io.retel.ariproxy.ari.ResourceType.APPLICATION;
import static io.retel.ariproxy.ari.ResourceType.BRIDGE;
import static io.retel.ariproxy.ari.ResourceType.CHANNEL;
import static io.retel.ariproxy.ari.ResourceType.DEVICE;
import static io.retel.ariproxy.ari.ResourceType.ENDPOINT;
import static io.retel.ariproxy.ari.ResourceType.MAILBOX;
import static io.retel.ariproxy.ari.ResourceType.PLAYBACK;
import static io.retel.ariproxy.ari.ResourceType.RECORDING;
import static io.retel.ariproxy.ari.ResourceType.SNOOPING;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** ARI's operations: the only table of their resources and effects. */
public final class AriOperations {

  /**
   * ARI 10.0.0, as listed by Asterisk 22.10.1 under {@code /api-docs/*.json}: method, path, and
   * effect.
   *
   * <p>An id is in the path if the path has a parameter of that name, otherwise in the query or
   * body. {@code ends} is listed only where Asterisk may send no end event: events of a bridge, and
   * of playbacks and recordings on it, arrive only while the application is subscribed to the
   * bridge; an event filter can hide the end of a channel.
   */
  private static final String TABLE =
      """
      GET    /applications
      GET    /applications/{applicationName}
      POST   /applications/{applicationName}/subscription
      DELETE /applications/{applicationName}/subscription
      PUT    /applications/{applicationName}/eventFilter
      GET    /asterisk/config/dynamic/{configClass}/{objectType}/{id}
      PUT    /asterisk/config/dynamic/{configClass}/{objectType}/{id}
      DELETE /asterisk/config/dynamic/{configClass}/{objectType}/{id}
      GET    /asterisk/info
      GET    /asterisk/ping
      GET    /asterisk/modules
      GET    /asterisk/modules/{moduleName}
      POST   /asterisk/modules/{moduleName}
      DELETE /asterisk/modules/{moduleName}
      PUT    /asterisk/modules/{moduleName}
      GET    /asterisk/logging
      POST   /asterisk/logging/{logChannelName}
      DELETE /asterisk/logging/{logChannelName}
      PUT    /asterisk/logging/{logChannelName}/rotate
      GET    /asterisk/variable
      POST   /asterisk/variable
      GET    /bridges
      POST   /bridges                                 creates BRIDGE bridgeId
      POST   /bridges/{bridgeId}                      creates BRIDGE bridgeId
      GET    /bridges/{bridgeId}
      DELETE /bridges/{bridgeId}                      ends BRIDGE bridgeId
      GET    /bridges/{bridgeId}/variable
      POST   /bridges/{bridgeId}/variable
      GET    /bridges/{bridgeId}/variables
      POST   /bridges/{bridgeId}/variables
      POST   /bridges/{bridgeId}/addChannel
      POST   /bridges/{bridgeId}/removeChannel
      POST   /bridges/{bridgeId}/videoSource/{channelId}
      DELETE /bridges/{bridgeId}/videoSource
      POST   /bridges/{bridgeId}/moh
      DELETE /bridges/{bridgeId}/moh
      POST   /bridges/{bridgeId}/play                 creates PLAYBACK playbackId
      POST   /bridges/{bridgeId}/play/{playbackId}    creates PLAYBACK playbackId
      POST   /bridges/{bridgeId}/record               creates RECORDING name
      GET    /channels
      POST   /channels                                creates CHANNEL channelId, second leg otherChannelId
      POST   /channels/create                         creates CHANNEL channelId, second leg otherChannelId
      GET    /channels/{channelId}
      POST   /channels/{channelId}                    creates CHANNEL channelId, second leg otherChannelId
      DELETE /channels/{channelId}                    ends CHANNEL channelId
      POST   /channels/{channelId}/continue
      POST   /channels/{channelId}/move
      POST   /channels/{channelId}/redirect
      POST   /channels/{channelId}/answer
      POST   /channels/{channelId}/ring
      DELETE /channels/{channelId}/ring
      POST   /channels/{channelId}/progress
      POST   /channels/{channelId}/dtmf
      POST   /channels/{channelId}/mute
      DELETE /channels/{channelId}/mute
      POST   /channels/{channelId}/hold
      DELETE /channels/{channelId}/hold
      POST   /channels/{channelId}/moh
      DELETE /channels/{channelId}/moh
      POST   /channels/{channelId}/silence
      DELETE /channels/{channelId}/silence
      POST   /channels/{channelId}/play               creates PLAYBACK playbackId
      POST   /channels/{channelId}/play/{playbackId}  creates PLAYBACK playbackId
      POST   /channels/{channelId}/record             creates RECORDING name
      GET    /channels/{channelId}/variable
      POST   /channels/{channelId}/variable
      GET    /channels/{channelId}/variables
      POST   /channels/{channelId}/variables
      POST   /channels/{channelId}/snoop              creates SNOOPING snoopId
      POST   /channels/{channelId}/snoop/{snoopId}    creates SNOOPING snoopId
      POST   /channels/{channelId}/dial
      GET    /channels/{channelId}/rtp_statistics
      POST   /channels/externalMedia                  creates CHANNEL channelId
      POST   /channels/{channelId}/transfer_progress
      GET    /deviceStates
      GET    /deviceStates/{deviceName}
      PUT    /deviceStates/{deviceName}
      DELETE /deviceStates/{deviceName}
      GET    /endpoints
      PUT    /endpoints/sendMessage
      POST   /endpoints/refer
      GET    /endpoints/{tech}
      GET    /endpoints/{tech}/{resource}
      PUT    /endpoints/{tech}/{resource}/sendMessage
      POST   /endpoints/{tech}/{resource}/refer
      GET    /events
      POST   /events/user/{eventName}
      POST   /events/claim                            claims CHANNEL channelId
      GET    /mailboxes
      GET    /mailboxes/{mailboxName}
      PUT    /mailboxes/{mailboxName}
      DELETE /mailboxes/{mailboxName}
      GET    /playbacks/{playbackId}
      DELETE /playbacks/{playbackId}                  ends PLAYBACK playbackId
      POST   /playbacks/{playbackId}/control
      GET    /recordings/stored
      GET    /recordings/stored/{recordingName}
      DELETE /recordings/stored/{recordingName}
      GET    /recordings/stored/{recordingName}/file
      POST   /recordings/stored/{recordingName}/copy
      GET    /recordings/live/{recordingName}
      DELETE /recordings/live/{recordingName}         ends RECORDING recordingName
      POST   /recordings/live/{recordingName}/stop    ends RECORDING recordingName
      POST   /recordings/live/{recordingName}/pause
      DELETE /recordings/live/{recordingName}/pause
      POST   /recordings/live/{recordingName}/mute
      DELETE /recordings/live/{recordingName}/mute
      GET    /sounds
      GET    /sounds/{soundId}
      """;

  private static final Pattern ROW =
      Pattern.compile(
          "(?<method>[A-Z]+) +(?<path>/\\S+)"
              + "( +(?<effect>creates|claims|ends) (?<type>[A-Z]+) (?<id>\\w+)"
              + "(, second leg (?<secondLeg>\\w+))?)?");

  /** Path parameters that identify a resource. */
  private static final Map<String, ResourceType> RESOURCE_PARAMETERS =
      Map.of(
          "{applicationName}", APPLICATION,
          "{bridgeId}", BRIDGE,
          "{channelId}", CHANNEL,
          "{deviceName}", DEVICE,
          "{mailboxName}", MAILBOX,
          "{playbackId}", PLAYBACK,
          "{recordingName}", RECORDING,
          "{resource}", ENDPOINT,
          "{snoopId}", SNOOPING);

  /**
   * Path parameters that do not identify a resource; {@code {tech}} is part of the endpoint's name.
   */
  private static final Set<String> NON_RESOURCE_PARAMETERS =
      Set.of(
          "{configClass}",
          "{eventName}",
          "{id}",
          "{logChannelName}",
          "{moduleName}",
          "{objectType}",
          "{soundId}",
          "{tech}");

  /**
   * Parameters outside the path that identify existing resources or an application. Those of new
   * and claimed resources are in the table.
   */
  private static final Map<String, ResourceType> NAMING_PARAMETERS =
      Map.of(
          "app", APPLICATION,
          "application", APPLICATION,
          "caller", CHANNEL,
          "channel", CHANNEL,
          "originator", CHANNEL);

  /** Parameters outside the path whose value is a URI, like {@code channel:ID}. */
  private static final Set<String> URI_PARAMETERS = Set.of("eventSource", "source");

  private static final Map<String, Operation> OPERATIONS = new LinkedHashMap<>();
  private static final PathNode ROOT = new PathNode(null);

  static {
    TABLE.lines().map(AriOperations::parseRow).forEach(AriOperations::add);
  }

  private AriOperations() {}

  /** The effect of a successful operation on its resource. */
  public enum Effect {
    NONE,
    /** Creates the resource. */
    CREATES,
    /** The existing resource becomes part of this application. */
    CLAIMS,
    /** The resource no longer exists. */
    ENDS
  }

  /**
   * A row of the table.
   *
   * @param method the HTTP method
   * @param path the path template from the api-docs
   * @param effect the effect of a success
   * @param type the type of the affected resource, or null
   * @param idParameter the parameter that contains its id, or null
   * @param secondLegParameter the parameter that contains the second leg's id, or null
   */
  public record Operation(
      String method,
      String path,
      Effect effect,
      @Nullable ResourceType type,
      @Nullable String idParameter,
      @Nullable String secondLegParameter) {

    /** The operation's name, for example {@code POST /channels/{channelId}/answer}. */
    public String template() {
      return method + " " + path;
    }

    public boolean hasIdInPath() {
      return path.contains("{" + idParameter + "}");
    }

    /**
     * Whether the proxy may generate the id; not for recordings, since Asterisk rejects one without
     * a name.
     */
    public boolean supportsGeneratedId() {
      return effect == Effect.CREATES && type != RECORDING;
    }
  }

  /**
   * The operation and resources of a request.
   *
   * @param operation the operation, or empty if the table does not contain it
   * @param pathResources the resources in the known part of the path, in path order
   */
  public record Match(Optional<Operation> operation, List<Resource> pathResources) {}

  /**
   * Finds a request's operation as Asterisk does: segment by segment, literals before parameters
   * regardless of the method. So {@code /channels/create} is never a channel with that id.
   *
   * @param segments the path's segments, decoded
   */
  public static Match find(String method, List<String> segments) {
    List<Resource> pathResources = new ArrayList<>(2);
    PathNode node = ROOT;
    for (int i = 0; i < segments.size(); i++) {
      String segment = segments.get(i);
      PathNode next = node.literal.get(segment);
      if (next == null) {
        next = node.parameter;
        if (next == null) {
          return new Match(Optional.empty(), pathResources);
        }
        if (next.type != null) {
          // an endpoint id includes its technology, as in events
          String id = next.type == ENDPOINT ? segments.get(i - 1) + "/" + segment : segment;
          pathResources.add(new Resource(next.type, id));
        }
      }
      node = next;
    }
    return new Match(Optional.ofNullable(node.operations.get(method)), pathResources);
  }

  /**
   * Returns the existing resources and the applications that a request names outside the path.
   *
   * @param values returns the values of a parameter
   */
  public static List<Resource> namedResources(Function<String, List<String>> values) {
    List<Resource> named = new ArrayList<>(2);
    NAMING_PARAMETERS.forEach(
        (name, type) -> values.apply(name).forEach(id -> named.add(new Resource(type, id))));
    for (String name : URI_PARAMETERS) {
      values.apply(name).forEach(uri -> Resource.ofTarget(uri).ifPresent(named::add));
    }
    return List.copyOf(named);
  }

  /**
   * Whether a request names an application outside the path.
   *
   * @param isPresent whether a parameter has a value
   */
  public static boolean namesApplication(Predicate<String> isPresent) {
    return NAMING_PARAMETERS.entrySet().stream()
        .anyMatch(entry -> entry.getValue() == APPLICATION && isPresent.test(entry.getKey()));
  }

  /** All parameters outside the path that {@link #namedResources} reads. */
  static Set<String> namingParameters() {
    Set<String> parameters = new HashSet<>(NAMING_PARAMETERS.keySet());
    parameters.addAll(URI_PARAMETERS);
    return parameters;
  }

  /** All operations by their template, in the order of the table. */
  static Map<String, Operation> byTemplate() {
    return Collections.unmodifiableMap(OPERATIONS);
  }

  /** The templates of all operations, in the order of the table. */
  public static Set<String> templates() {
    return byTemplate().keySet();
  }

  /** All parameters that can occur in a path. */
  static Set<String> pathParameters() {
    Set<String> parameters = new HashSet<>(RESOURCE_PARAMETERS.keySet());
    parameters.addAll(NON_RESOURCE_PARAMETERS);
    return parameters;
  }

  private static Operation parseRow(String text) {
    Matcher matcher = ROW.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalStateException("Malformed table row: " + text);
    }
    String effect = matcher.group("effect");
    return new Operation(
        matcher.group("method"),
        matcher.group("path"),
        effect == null ? Effect.NONE : Effect.valueOf(effect.toUpperCase(Locale.ROOT)),
        effect == null ? null : ResourceType.valueOf(matcher.group("type")),
        matcher.group("id"),
        matcher.group("secondLeg"));
  }

  private static void add(Operation operation) {
    PathNode node = ROOT;
    for (String segment : operation.path().substring(1).split("/")) {
      node = segment.startsWith("{") ? node.parameter(segment) : node.literal(segment);
    }
    node.operations.put(operation.method(), operation);
    OPERATIONS.put(operation.template(), operation);
  }

  /** A node of the path tree. */
  private static final class PathNode {

    private final Map<String, PathNode> literal = new HashMap<>();
    private final Map<String, Operation> operations = new HashMap<>();
    private final @Nullable ResourceType type;
    private @Nullable PathNode parameter;

    /**
     * @param type the type of the resource at this position, or null
     */
    PathNode(@Nullable ResourceType type) {
      this.type = type;
    }

    PathNode literal(String name) {
      return literal.computeIfAbsent(name, absent -> new PathNode(null));
    }

    PathNode parameter(String name) {
      ResourceType resourceType = RESOURCE_PARAMETERS.get(name);
      if (resourceType == null && !NON_RESOURCE_PARAMETERS.contains(name)) {
        throw new IllegalStateException("Unclassified path parameter: " + name);
      }
      if (parameter == null) {
        parameter = new PathNode(resourceType);
      }
      return parameter;
    }
  }
}
