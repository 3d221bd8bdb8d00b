// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckRegistry;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.DefaultHealthCheckRegistry;

/**
 * Registry that escapes and bounds the texts of all health checks, including those of components
 * and Camel: the reason for a closed websocket comes from a server. An exception becomes a message.
 */
public final class EscapingHealthCheckRegistry extends DefaultHealthCheckRegistry {

  private EscapingHealthCheckRegistry(CamelContext context) {
    super(context);
  }

  /** Replaces Camel's registry; call before the first check is registered. */
  public static void install(CamelContext context) {
    context
        .getCamelContextExtension()
        .addContextPlugin(HealthCheckRegistry.class, new EscapingHealthCheckRegistry(context));
  }

  @Override
  public Stream<HealthCheck> stream() {
    return super.stream().map(EscapingHealthCheck::new);
  }

  /**
   * A check with escaped results.
   *
   * @param check the check
   */
  private record EscapingHealthCheck(HealthCheck check) implements HealthCheck {

    @Override
    public Result call(Map<String, Object> options) {
      Result result = check.call(options);
      HealthCheckResultBuilder escaped = HealthCheckResultBuilder.on(this).state(result.getState());
      result
          .getMessage()
          .or(() -> result.getError().map(ErrorMessages::singleLine))
          .ifPresent(message -> escaped.message(escape(message)));
      result
          .getDetails()
          .forEach(
              (name, value) ->
                  escaped.detail(name, value instanceof String text ? escape(text) : value));
      return escaped.build();
    }

    private static String escape(String text) {
      return LogText.escape(text, LogText.MAX_DETAIL_LENGTH);
    }

    @Override
    public String getId() {
      return check.getId();
    }

    @Override
    public String getGroup() {
      return check.getGroup();
    }

    @Override
    public int getOrder() {
      return check.getOrder();
    }

    @Override
    public Map<String, Object> getMetaData() {
      return check.getMetaData();
    }

    @Override
    public boolean isEnabled() {
      return check.isEnabled();
    }

    @Override
    public void setEnabled(boolean enabled) {
      check.setEnabled(enabled);
    }

    @Override
    public boolean isReadiness() {
      return check.isReadiness();
    }

    @Override
    public boolean isLiveness() {
      return check.isLiveness();
    }
  }
}
