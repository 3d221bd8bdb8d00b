// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Route;
import org.apache.camel.ServiceStatus;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.RoutePolicy;
import org.apache.camel.support.RoutePolicySupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** When the condition of routes is checked, and on which threads. */
class ConditionalRoutePolicyTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final AtomicBoolean condition = new AtomicBoolean(true);
  private final AtomicInteger checks = new AtomicInteger();
  private final CountDownLatch stopped = new CountDownLatch(1);

  /** A policy that checks its routes once an hour while they run. */
  private final ConditionalRoutePolicy policy =
      new ConditionalRoutePolicy(this::check, "in this test", Duration.ofHours(1)) {};

  /** What happens once, after the condition was read. */
  private volatile Runnable afterCheck = () -> {};

  private boolean check() {
    checks.incrementAndGet();
    boolean result = condition.get();
    Runnable then = afterCheck;
    afterCheck = () -> {};
    then.run();
    return result;
  }

  @AfterEach
  void stop() {
    stopped.countDown();
    context.stop();
  }

  private void addRoute(String id, RoutePolicy... policies) throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:" + id).routeId(id).autoStartup(false).routePolicy(policies).to("mock:x");
          }
        });
  }

  private void await(String route, ServiceStatus status) {
    Awaitility.await(route)
        .until(() -> context.getRouteController().getRouteStatus(route) == status);
  }

  private long threads(String name) {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(thread -> thread.contains("(" + context.getName() + ")"))
        .filter(thread -> thread.endsWith(" - " + name))
        .count();
  }

  @Test
  void wakeStopsAndStartsRoute() throws Exception {
    addRoute("first", policy);
    context.start();
    await("first", ServiceStatus.Started);
    condition.set(false);

    policy.wake();

    await("first", ServiceStatus.Stopped);
    condition.set(true);
    await("first", ServiceStatus.Started);
  }

  @Test
  void wakeDuringCheckIsNotLost() throws Exception {
    addRoute("first", policy);
    context.start();
    await("first", ServiceStatus.Started);
    afterCheck =
        () -> {
          condition.set(false);
          policy.wake();
        };

    policy.wake();

    await("first", ServiceStatus.Stopped);
  }

  @Test
  void rarelyChecksConditionOfRunningRoute() throws Exception {
    ConditionalRoutePolicy shipped = new ConditionalRoutePolicy(this::check, "in this test");
    addRoute("first", shipped);
    context.start();
    await("first", ServiceStatus.Started);
    TimeUnit.MILLISECONDS.sleep(300);
    checks.set(0);

    Moment start = Moment.now();
    TimeUnit.SECONDS.sleep(2);

    assertThat(checks.get()).isBetween(1, (int) Moment.now().since(start).toSeconds() + 2);
    condition.set(false);
    await("first", ServiceStatus.Stopped);
  }

  @Test
  void startsRouteThatIsAddedLater() throws Exception {
    addRoute("first", policy);
    context.start();
    await("first", ServiceStatus.Started);

    addRoute("second", policy);

    await("second", ServiceStatus.Started);
  }

  @Test
  void policiesShareTimer() throws Exception {
    addRoute("first", policy);
    addRoute("second", new ConditionalRoutePolicy(this::check, "in this test"));
    context.start();
    await("first", ServiceStatus.Started);
    await("second", ServiceStatus.Started);

    assertThat(threads("timer")).isOne();
  }

  @Test
  void routeThatStopsSlowlyDelaysNoOtherCheck() throws Exception {
    CountDownLatch stopping = new CountDownLatch(1);
    RoutePolicy slowStop =
        new RoutePolicySupport() {
          @Override
          public void onStop(Route route) {
            stopping.countDown();
            awaitStopped();
          }
        };
    AtomicInteger otherChecks = new AtomicInteger();
    addRoute("slow", policy, slowStop);
    addRoute(
        "other",
        new ConditionalRoutePolicy(() -> otherChecks.incrementAndGet() > 0, "in this test"));
    context.start();
    await("slow", ServiceStatus.Started);
    await("other", ServiceStatus.Started);
    condition.set(false);
    policy.wake();
    assertThat(stopping.await(DefaultTimeout.SECONDS, TimeUnit.SECONDS)).isTrue();
    otherChecks.set(0);

    Awaitility.await("checks of the other").until(() -> otherChecks.get() >= 2);
  }

  private void awaitStopped() {
    try {
      stopped.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
