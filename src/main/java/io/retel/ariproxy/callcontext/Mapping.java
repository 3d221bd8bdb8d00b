package io.retel.ariproxy.callcontext;

/**
 * What is remembered of a resource.
 *
 * @param callContext its call context
 * @param ended whether the resource has ended, so that only late events may still ask
 * @param left the call context that it has just left, or null
 */
public record Mapping(String callContext, boolean ended, String left) {

  Mapping(String callContext, boolean ended) {
    this(callContext, ended, null);
  }
}
