package io.retel.ariproxy.command;

import static io.retel.ariproxy.ari.ResourceType.APPLICATION;
import static io.retel.ariproxy.ari.ResourceType.BRIDGE;
import static io.retel.ariproxy.ari.ResourceType.CHANNEL;
import static io.retel.ariproxy.ari.ResourceType.DEVICE;
import static io.retel.ariproxy.ari.ResourceType.ENDPOINT;
import static io.retel.ariproxy.ari.ResourceType.MAILBOX;
import static io.retel.ariproxy.ari.ResourceType.PLAYBACK;
import static io.retel.ariproxy.ari.ResourceType.RECORDING;
import static io.retel.ariproxy.ari.ResourceType.SNOOPING;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What ARI's operations are about and what they create: the one place that knows (ARI of Asterisk
 * 22.10.1, {@code /api-docs/*.json}).
 *
 * <p>The first row that matches counts, and fixed segments stand before parameters: {@code
 * /channels/create} is no channel named so. A row's path ends where {@code **} stands for any rest.
 */
final class AriOperations {

  private static final Map<String, ResourceType> PATH_PARAMETERS =
      Map.of(
          "{channelId}", CHANNEL,
          "{bridgeId}", BRIDGE,
          "{playbackId}", PLAYBACK,
          "{recordingName}", RECORDING,
          "{snoopId}", SNOOPING,
          "{deviceName}", DEVICE,
          "{mailboxName}", MAILBOX,
          "{applicationName}", APPLICATION,
          "{resource}", ENDPOINT);

  private static final List<Operation> TABLE =
      List.of(
          creates("POST", "/channels", CHANNEL, "channelId"),
          creates("POST", "/channels/create", CHANNEL, "channelId"),
          creates("POST", "/channels/externalMedia", CHANNEL, "channelId"),
          creates("POST", "/channels/{channelId}", CHANNEL, null),
          creates("POST", "/channels/{channelId}/play", PLAYBACK, "playbackId"),
          creates("POST", "/channels/{channelId}/play/{playbackId}", PLAYBACK, null),
          creates("POST", "/channels/{channelId}/record", RECORDING, "name"),
          creates("POST", "/channels/{channelId}/snoop", SNOOPING, "snoopId"),
          creates("POST", "/channels/{channelId}/snoop/{snoopId}", SNOOPING, null),
          creates("POST", "/bridges", BRIDGE, "bridgeId"),
          creates("POST", "/bridges/{bridgeId}", BRIDGE, null),
          creates("POST", "/bridges/{bridgeId}/play", PLAYBACK, "playbackId"),
          creates("POST", "/bridges/{bridgeId}/play/{playbackId}", PLAYBACK, null),
          creates("POST", "/bridges/{bridgeId}/record", RECORDING, "name"),
          concerns("/channels/{channelId}/**"),
          concerns("/bridges/{bridgeId}/**"),
          concerns("/playbacks/{playbackId}/**"),
          concerns("/recordings/live/{recordingName}/**"),
          concerns("/recordings/stored/{recordingName}/**"),
          concerns("/deviceStates/{deviceName}"),
          concerns("/mailboxes/{mailboxName}"),
          concerns("/applications/{applicationName}/**"),
          concerns("/endpoints/{tech}/{resource}/**"));

  private AriOperations() {}

  /**
   * A row of the table.
   *
   * @param method the HTTP method, or null for any
   * @param path fixed segments and parameters
   * @param creates what it creates, or null
   * @param idParameter where the created one's id stands in query or body; null if it is the path's
   *     last parameter
   */
  record Operation(String method, List<String> path, ResourceType creates, String idParameter) {

    boolean matches(String wantedMethod, List<String> segments) {
      if (method != null && !method.equals(wantedMethod)) {
        return false;
      }
      boolean anyRest = path.get(path.size() - 1).equals("**");
      int fixed = anyRest ? path.size() - 1 : path.size();
      if (anyRest ? segments.size() < fixed : segments.size() != fixed) {
        return false;
      }
      for (int i = 0; i < fixed; i++) {
        if (!path.get(i).startsWith("{") && !path.get(i).equals(segments.get(i))) {
          return false;
        }
      }
      return true;
    }

    /** The resources that stand in the path, in its order. */
    List<Resource> inPath(List<String> segments) {
      List<Resource> found = new ArrayList<>(2);
      for (int i = 0; i < path.size(); i++) {
        ResourceType type = PATH_PARAMETERS.get(path.get(i));
        if (type != null) {
          // an endpoint is named with its technology, as in events
          String prefix = type == ENDPOINT ? segments.get(i - 1) + "/" : "";
          found.add(new Resource(type, prefix + segments.get(i)));
        }
      }
      return found;
    }

    boolean createsInPath() {
      return creates != null && idParameter == null;
    }

    /** Asterisk refuses a recording without a name, and so do we not make one up. */
    boolean idMayBeAdded() {
      return creates != RECORDING;
    }

    /** Originated and created channels may have a second leg. */
    boolean createsSecondLeg() {
      return creates == CHANNEL && !path.contains("externalMedia");
    }
  }

  /** The row for a request, if it concerns a resource at all. */
  static Optional<Operation> find(String method, List<String> segments) {
    return TABLE.stream().filter(operation -> operation.matches(method, segments)).findFirst();
  }

  private static Operation creates(
      String method, String path, ResourceType created, String idParameter) {
    return new Operation(method, List.of(path.substring(1).split("/")), created, idParameter);
  }

  private static Operation concerns(String path) {
    return new Operation(null, List.of(path.substring(1).split("/")), null, null);
  }
}
