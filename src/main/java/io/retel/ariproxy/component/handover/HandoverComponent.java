// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Endpoint;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;

/** Component for synchronous calls to a route that can be replaced under load. */
@Component("handover")
public class HandoverComponent extends DefaultComponent {

  private final Map<String, HandoverPoint> handoverPoints = new ConcurrentHashMap<>();

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    HandoverEndpoint endpoint = new HandoverEndpoint(uri, this);
    endpoint.setName(remaining);
    setProperties(endpoint, parameters);
    return endpoint;
  }

  /** The handover point of that name. It outlives the routes on both sides. */
  HandoverPoint handoverPoint(String name) {
    return handoverPoints.computeIfAbsent(name, n -> new HandoverPoint());
  }
}
