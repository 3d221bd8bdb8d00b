// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.errorhandler.NoErrorHandlerDefinition;

/** Route configuration whose errors propagate to the calling route, which handles them. */
public final class PropagateErrors extends RouteConfigurationBuilder {

  /** The id of this route configuration. */
  public static final String ID = "propagate-errors";

  @Override
  public void configuration() {
    routeConfiguration(ID).errorHandler(new NoErrorHandlerDefinition());
  }
}
