// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * An event with its resolved call context.
 *
 * @param event the event
 * @param callContext its call context, or null if unmapped
 * @param resources the event's resources, the one that determined the call context first
 * @param copies the same event for each other call that it concerns; these have no copies
 */
public record MappedEvent(
    AriEvent event,
    @Nullable String callContext,
    List<Resource> resources,
    List<MappedEvent> copies) {

  /** Creates an event of a single call, or an unmapped one. */
  public MappedEvent(AriEvent event, @Nullable String callContext, List<Resource> resources) {
    this(event, callContext, resources, List.of());
  }

  /** The event type as Asterisk spells it; in a route {@code ${body.type}}. */
  public String type() {
    return event.type();
  }

  /** Whether the event has no call context; in a route {@code ${body.unmapped}}. */
  public boolean unmapped() {
    return callContext == null;
  }

  /** The call contexts that it is published to, its own first; empty if it has no copies. */
  public List<String> callContexts() {
    return copies.isEmpty()
        ? List.of()
        : Stream.concat(Stream.of(this), copies.stream()).map(MappedEvent::callContext).toList();
  }
}
