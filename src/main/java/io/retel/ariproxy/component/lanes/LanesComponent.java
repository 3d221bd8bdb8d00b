// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.spi.ExceptionHandler;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;
import org.jspecify.annotations.Nullable;

/** Component of the named keyed queues, which outlive the routes on both sides. */
@Component("lanes")
public class LanesComponent extends DefaultComponent {

  private @Nullable ExceptionHandler exceptionHandler;

  private static final Lanes.Results<Exchange> RESULTS =
      new Lanes.Results<>() {
        /** Also if it has failed, even if it is repeated. */
        @Override
        public boolean has(Exchange exchange) {
          return exchange.getProperty(LanesConstants.HAS_RESULT, false, boolean.class)
              || exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT) != null;
        }

        @Override
        public boolean isMissing(Exchange exchange) {
          return exchange.getProperty(LanesConstants.NO_RESULT, false, boolean.class);
        }
      };

  private final Map<String, Lanes<Exchange>> lanes = new ConcurrentHashMap<>();
  private final Set<LaneWorkers> workers = ConcurrentHashMap.newKeySet();
  private volatile BooleanSupplier full = () -> false;

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    LanesEndpoint endpoint = new LanesEndpoint(uri, this);
    endpoint.setName(remaining);
    endpoint.setExceptionHandler(exceptionHandler);
    setProperties(endpoint, parameters);
    return endpoint;
  }

  Lanes<Exchange> lanes(String name) {
    return lanes.computeIfAbsent(name, n -> new Lanes<>(RESULTS, () -> full.getAsBoolean()));
  }

  void add(LaneWorkers consumer) {
    workers.add(consumer);
  }

  void retryFailedStarts() {
    workers.forEach(LaneWorkers::retryFailedStart);
  }

  void remove(LaneWorkers consumer) {
    workers.remove(consumer);
  }

  /**
   * Returns the name of a consumer's threads if one has ended with an error. Another one replaces
   * it, but its message never ends, and the later ones of its lane wait.
   */
  public Optional<String> endedThread() {
    return workers.stream().filter(LaneWorkers::hasFailed).map(LaneWorkers::name).findFirst();
  }

  /**
   * Sets how producers report that they have reached a limit.
   *
   * @param full thread-safe, does not block
   */
  public void fullIf(BooleanSupplier full) {
    this.full = full;
  }

  /** Number of queued exchanges in all queues, excluding leased ones. */
  public int queued() {
    return lanes.values().stream().mapToInt(Lanes::queued).sum();
  }

  /** Number of leased exchanges in all queues, which routes are processing. */
  public int leased() {
    return lanes.values().stream().mapToInt(Lanes::leased).sum();
  }

  /** Returns the groups with messages that hang. */
  public List<GroupActivity> hanging() {
    return lanes.values().stream().flatMap(queue -> queue.hanging().stream()).toList();
  }

  /** Whether messages wait although all consumers of their queue have hanging ones. */
  public boolean isBlocked() {
    return lanes.values().stream().anyMatch(Lanes::isBlocked);
  }

  /** Handler for errors of exchanges; Camel's default if null. */
  public @Nullable ExceptionHandler getExceptionHandler() {
    return exceptionHandler;
  }

  public void setExceptionHandler(@Nullable ExceptionHandler exceptionHandler) {
    this.exceptionHandler = exceptionHandler;
  }
}
