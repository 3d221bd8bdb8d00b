// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

/**
 * Format of the resources in an event's envelope: the values of {@code
 * ari-proxy.envelope.event-resources}.
 */
public enum EventResourcesFormat {
  /** An array of all resources, like the older ari-proxy. */
  ARRAY,
  /** Only the resource that determined the call context, as an object. */
  OBJECT
}
