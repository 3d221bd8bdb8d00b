package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import java.util.List;

/**
 * An event whose call has been looked for.
 *
 * @param event the event
 * @param callContext its call context, or null if it is unmapped
 * @param resources the resources that it speaks of; the one that decided the call context first
 */
public record MappedEvent(AriEvent event, String callContext, List<Resource> resources) {

  /** The type's name as Asterisk writes it: in a route, {@code ${body.type}}. */
  public String type() {
    return event.type();
  }

  /** Whether no call is known for it: in a route, {@code ${body.unmapped}}. */
  public boolean unmapped() {
    return callContext == null;
  }
}
