// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import org.apache.camel.builder.RouteConfigurationBuilder;

/**
 * Route configuration so that a failed resync never blocks events: it is counted, logged and
 * retried later.
 */
public final class ResyncErrors extends RouteConfigurationBuilder {

  /** The id of this route configuration. */
  public static final String ID = "resync-errors";

  @Override
  public void configuration() {
    routeConfiguration(ID)
        .onException(Exception.class)
        .id("resync-failed")
        .handled(true)
        .process("handleResyncFailure")
        .id("handle-resync-failure");
  }
}
