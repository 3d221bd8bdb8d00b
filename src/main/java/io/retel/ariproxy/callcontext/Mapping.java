package io.retel.ariproxy.callcontext;

/**
 * What is remembered of a resource.
 *
 * @param callContext its call context
 * @param ended whether the resource has ended, so that only late events may still ask
 */
public record Mapping(String callContext, boolean ended) {}
