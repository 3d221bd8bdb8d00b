// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.Mapping;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What Asterisk has responded about one resource.
 *
 * @param resource a channel, bridge, playback or recording; only a bridge with its creation time
 * @param before its mapping when Asterisk was asked, or null if it had none
 * @param exists whether it exists, or another resource with its id
 * @param channel the description of a channel; null for other resources, and if Asterisk cannot
 *     describe it
 * @param inStasis whether a channel is in Stasis
 * @param applications the Stasis applications that list a channel, since it is in them or they are
 *     subscribed to it
 * @param channelIds the channels in a bridge
 */
record Observation(
    Resource resource,
    @Nullable Mapping before,
    boolean exists,
    @Nullable ChannelDescription channel,
    boolean inStasis,
    Set<String> applications,
    Set<String> channelIds) {

  private static final int BYTES_PER_ID = 100;

  /** Of an event without the description, and of this. */
  private static final int EVENT_BYTES = 1_000;

  /** An observation of another resource than a bridge. */
  Observation(
      Resource resource,
      @Nullable Mapping before,
      boolean exists,
      @Nullable ChannelDescription channel,
      boolean inStasis,
      Set<String> applications) {
    this(resource, before, exists, channel, inStasis, applications, Set.of());
  }

  static Observation of(Resource resource, @Nullable Mapping before, boolean exists) {
    return new Observation(resource, before, exists, null, false, Set.of());
  }

  /** Returns the heap that it takes until its events are published, at most. */
  long bytes() {
    return EVENT_BYTES + bytesOfIds(channelIds) + (channel == null ? 0 : channel.bytes());
  }

  static long bytesOfIds(Set<String> ids) {
    return ids.stream().mapToLong(id -> BYTES_PER_ID + 2L * id.length()).sum();
  }

  Observation withChannels(Set<String> ids) {
    return new Observation(resource, before, exists, channel, inStasis, applications, ids);
  }

  Observation withDescription(ChannelDescription description) {
    return new Observation(
        resource, before, exists, description, inStasis, applications, channelIds);
  }

  /** Whether it is the mapped resource, not another one that uses its id again. */
  boolean exists(Mapping mapping) {
    return exists && !mapping.isCertainlyOfOther(described());
  }

  /** Returns the resource, a channel as it is described. */
  Resource described() {
    return channel == null
        ? resource
        : new Resource(resource.type(), resource.id(), channel.instance());
  }

  /** Whether a channel that has entered an application is still in it. */
  boolean isIn(String application) {
    return inStasis && applications.contains(application);
  }

  /**
   * Whether a channel of which no start was published has entered an application: the dialplan
   * named the application, or nothing but that application lists the channel.
   */
  boolean hasEntered(String application) {
    if (channel == null || !isIn(application)) {
      return false;
    }
    if (!channel.runsStasis()) {
      return applications.size() == 1;
    }
    String entryApplication = channel.entryApplication();
    // a moved channel still shows the application through which it entered
    return entryApplication.equals(application) || !applications.contains(entryApplication);
  }

  /** Whether an event or a command has changed its mapping since Asterisk was asked. */
  boolean isOutdated(@Nullable Mapping current) {
    return before == null ? current != null : !before.equalsIgnoringUse(current);
  }
}
