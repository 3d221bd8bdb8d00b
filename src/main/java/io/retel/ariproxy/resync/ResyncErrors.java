// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.route.RetryPolicy;
import java.net.ConnectException;
import java.time.Duration;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.model.RouteConfigurationDefinition;

/**
 * Route configuration so that a failed resync never blocks events: it is counted, logged and
 * retried later.
 */
public final class ResyncErrors extends RouteConfigurationBuilder {

  /** The id of this route configuration. */
  public static final String ID = "resync-errors";

  /** Retries of a request within one resync; the whole resync is bounded as well. */
  private static final RetryPolicy RETRIES = new RetryPolicy(3, Duration.ofMillis(500));

  @Override
  public void configuration() {
    RouteConfigurationDefinition errors = routeConfiguration(ID);
    RETRIES
        .applyTo(
            errors
                .onException(ConnectException.class, HttpOperationFailedException.class)
                .id("asterisk-unavailable"))
        .handled(true)
        .process("handleResyncFailure")
        .id("handle-asterisk-unavailable");
    errors
        .onException(Exception.class)
        .id("resync-failed")
        .handled(true)
        .process("handleResyncFailure")
        .id("handle-resync-failure");
  }
}
