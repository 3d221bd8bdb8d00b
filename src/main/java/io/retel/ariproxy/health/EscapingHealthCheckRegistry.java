// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.health.HealthCheck;
import org.apache.camel.health.HealthCheckRegistry;
import org.apache.camel.health.HealthCheckResultBuilder;
import org.apache.camel.impl.health.DefaultHealthCheckRegistry;
import org.jspecify.annotations.Nullable;

/**
 * Registry that escapes and bounds the texts of all health checks, including those of components
 * and Camel: the reason for a closed websocket comes from a server. An exception becomes a message.
 *
 * <p>Requests share the result of a check that is younger than {@link #MAX_AGE}, so that the number
 * of requests does not matter. Thread-safe.
 */
public final class EscapingHealthCheckRegistry extends DefaultHealthCheckRegistry {

  /** Since the check began. */
  static final Duration MAX_AGE = Duration.ofMillis(500);

  private final Map<String, EscapingHealthCheck> checks = new ConcurrentHashMap<>();

  EscapingHealthCheckRegistry(CamelContext context) {
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
    return super.stream().map(this::escaping);
  }

  private HealthCheck escaping(HealthCheck check) {
    // a route that is loaded again replaces the check of its consumer
    return checks.compute(
        check.getGroup() + '/' + check.getId(),
        (id, known) ->
            known != null && known.check == check ? known : new EscapingHealthCheck(check));
  }

  /** A check with escaped results. */
  private static final class EscapingHealthCheck implements HealthCheck {

    private final HealthCheck check;
    private @Nullable Result last;
    private Moment lastBegin = Moment.now();

    EscapingHealthCheck(HealthCheck check) {
      this.check = check;
    }

    @Override
    public synchronized Result call(Map<String, Object> options) {
      Moment now = Moment.now();
      Result shared = last;
      if (shared == null || now.since(lastBegin).compareTo(MAX_AGE) >= 0) {
        shared = escape(check.call(options));
        last = shared;
        lastBegin = now;
      }
      return shared;
    }

    private Result escape(Result result) {
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
