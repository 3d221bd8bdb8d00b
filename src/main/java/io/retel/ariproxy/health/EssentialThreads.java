// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.camel.CamelContext;
import org.apache.camel.support.LifecycleStrategySupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads without which the proxy does not work. Reports those that have ended while the proxy
 * runs; none of them ends before a shutdown, except those of a route that is stopped.
 *
 * <p>As a lifecycle strategy it sees the thread pools of Camel's consumers. Each task of such a
 * pool runs until its route stops, so a completed task of a pool that is not shut down is a thread
 * that has ended. Costs nothing until it is queried. Thread-safe.
 */
public final class EssentialThreads extends LifecycleStrategySupport {

  /** Between the end of a consumer's task and the shutdown of its pool, when a route stops. */
  private static final long ROUTE_STOP_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** The effect of an ended thread, by the start of the pool's name. */
  private static final Map<String, String> CONSUMER_POOLS =
      Map.of(
          "ahc-ws", "events are not published",
          "KafkaConsumer[", "its topic is not consumed");

  private final Map<ThreadPoolExecutor, Essential> pools = new ConcurrentHashMap<>();
  private final List<Essential> others = new CopyOnWriteArrayList<>();

  /** The threads that had ended when the shutdown began; null before. */
  private volatile @Nullable List<String> endedBeforeShutdown;

  /**
   * Threads of one kind.
   *
   * @param effect of an ended one, as a clause
   * @param ended the name of an ended one, or empty
   */
  private record Essential(String effect, Supplier<Optional<String>> ended) {

    Stream<String> describe() {
      return ended.get().stream()
          .map(name -> "Thread %s has ended: %s; restart the proxy".formatted(name, effect));
    }
  }

  /**
   * Adds threads that are not of a consumer.
   *
   * @param effect of an ended one, as a clause
   * @param ended the name of an ended one, or empty; must not block
   */
  public EssentialThreads add(String effect, Supplier<Optional<String>> ended) {
    others.add(new Essential(effect, ended));
    return this;
  }

  @Override
  public void onThreadPoolAdd(
      CamelContext context,
      ThreadPoolExecutor pool,
      String id,
      @Nullable String sourceId,
      @Nullable String routeId,
      @Nullable String name) {
    CONSUMER_POOLS.forEach(
        (prefix, effect) -> {
          if (name != null && name.startsWith(prefix)) {
            // without the options of an endpoint
            String threadName = name.replaceFirst("\\?.*", "");
            pools.put(pool, new Essential(effect, () -> ended(pool, threadName)));
          }
        });
  }

  private static Optional<String> ended(ThreadPoolExecutor pool, String name) {
    return pool.getCompletedTaskCount() > 0 && !pool.isShutdown()
        ? Optional.of(name)
        : Optional.empty();
  }

  @Override
  public void onThreadPoolRemove(CamelContext context, ThreadPoolExecutor pool) {
    pools.remove(pool);
  }

  @Override
  public void onContextStopping(CamelContext context) {
    endedBeforeShutdown = ended();
  }

  /** Describes each kind of thread that has ended in one sentence; empty if none has. */
  public List<String> ended() {
    List<String> beforeShutdown = endedBeforeShutdown;
    if (beforeShutdown != null) {
      return beforeShutdown;
    }
    if (describe().isEmpty()) {
      return List.of();
    }
    LockSupport.parkNanos(ROUTE_STOP_NANOS);
    return describe();
  }

  private List<String> describe() {
    return Stream.concat(pools.values().stream(), others.stream())
        .flatMap(Essential::describe)
        .toList();
  }

  /** Describes an ended thread in one sentence; empty if none has ended. */
  public Optional<String> firstEnded() {
    return ended().stream().findFirst();
  }
}
