package io.retel.ariproxy.component.ahcws;

import java.util.Map;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.AbstractHealthCheck;

/** DOWN, with the reason in a sentence, while a websocket is not connected. */
class AhcWsHealthCheck extends AbstractHealthCheck {

  private final WebSocketConnection connection;

  AhcWsHealthCheck(WebSocketConnection connection) {
    super("ari-proxy", "websocket:" + connection.address());
    this.connection = connection;
  }

  @Override
  protected void doCall(HealthCheckResultBuilder builder, Map<String, Object> options) {
    ConnectionState state = connection.state();
    builder.detail("address", connection.address());
    builder.detail("since", state.since().toString());
    builder.detail("reconnects", state.reconnects());
    if (state.connected()) {
      builder.up();
      if (!state.reason().isEmpty()) {
        builder.detail("last.error", state.reason());
      }
    } else {
      builder.down();
      builder.message(state.reason());
      if (state.refusedStatus() > 0) {
        builder.detail("refused.status", state.refusedStatus());
      }
    }
  }
}
