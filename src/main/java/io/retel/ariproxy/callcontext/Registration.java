package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.Resource;

/**
 * That a resource has been given a call context before it is there.
 *
 * @param resource the resource
 * @param now what is remembered of it from then on
 * @param before what was remembered of it, or null
 */
public record Registration(Resource resource, Mapping current, Mapping previous) {

  /** Whether the same command has registered it before, and a crash came in between. */
  public boolean isRepeated() {
    return previous != null && !previous.ended() && previous.pending();
  }
}
