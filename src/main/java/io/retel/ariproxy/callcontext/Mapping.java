package io.retel.ariproxy.callcontext;

/**
 * What is remembered of a resource.
 *
 * @param callContext its call context
 * @param left the call context that it has just left, or null
 * @param hungUp whether it is a channel that is hung up, and so ends when it leaves Stasis
 * @param ended whether the resource has ended, so that only late events may still ask
 */
public record Mapping(String callContext, String left, boolean hungUp, boolean ended) {

  Mapping(String callContext) {
    this(callContext, null, false, false);
  }

  /** The resource is in another call context; it lives there. */
  Mapping moved(String to, String from) {
    return new Mapping(to, from, hungUp, false);
  }

  /** It is shown where it is remembered. */
  Mapping arrived() {
    return new Mapping(callContext, null, hungUp, ended);
  }

  Mapping hangUp() {
    return new Mapping(callContext, left, true, ended);
  }

  /** A channel has left Stasis: whether it goes on in the dialplan, or is hung up. */
  Mapping leaveStasis() {
    return hungUp ? new Mapping(callContext, left, true, true) : this;
  }

  /** What starts lives, even if its id has ended once: a hung up channel may enter Stasis again. */
  Mapping start() {
    return ended ? new Mapping(callContext, left, hungUp, false) : this;
  }

  /** Who has this id from now on is another one, and not hung up. */
  Mapping end() {
    return new Mapping(callContext, left, false, true);
  }
}
