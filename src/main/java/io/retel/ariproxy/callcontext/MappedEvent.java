// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An event with its resolved call context.
 *
 * @param event the event
 * @param callContext its call context, or null if unmapped
 * @param resources the event's resources, the one that determined the call context first
 */
public record MappedEvent(AriEvent event, @Nullable String callContext, List<Resource> resources) {

  /** The event type as Asterisk spells it; in a route {@code ${body.type}}. */
  public String type() {
    return event.type();
  }

  /** Whether the event has no call context; in a route {@code ${body.unmapped}}. */
  public boolean unmapped() {
    return callContext == null;
  }
}
