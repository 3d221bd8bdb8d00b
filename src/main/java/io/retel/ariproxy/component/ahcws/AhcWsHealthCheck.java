// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.util.Map;
import java.util.function.Supplier;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/**
 * Health check of a websocket: DOWN, with the reason, while it is not connected or no route has
 * opened it.
 */
class AhcWsHealthCheck extends AbstractHealthCheck {

  private final String address;
  private final Supplier<ConnectionState> stateSupplier;

  /**
   * @param address without query and credentials
   * @param stateSupplier state of the connection; never null
   */
  AhcWsHealthCheck(String address, Supplier<ConnectionState> stateSupplier) {
    super("ari-proxy", "websocket:" + address);
    this.address = address;
    this.stateSupplier = stateSupplier;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    ConnectionState state = stateSupplier.get();
    builder.detail("address", address);
    builder.detail("since", state.since().toString());
    builder.detail("reconnects", state.reconnects());
    if (state.connected()) {
      builder.up();
      if (!state.lastError().isEmpty()) {
        builder.detail("last.error", state.lastError());
      }
    } else {
      builder.down();
      builder.message(state.lastError());
      if (state.refusedStatus() > 0) {
        builder.detail("refused.status", state.refusedStatus());
      }
    }
  }
}
