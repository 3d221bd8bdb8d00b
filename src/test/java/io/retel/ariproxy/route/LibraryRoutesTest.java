// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Routes of a library that wait for a server without an answer. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LibraryRoutesTest {

  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();
  private final RejectedRouteFiles rejected = new RejectedRouteFiles();
  private LibraryRoutes libraries;

  @BeforeEach
  void start() {
    context.disableJMX();
    context.start();
    libraries = new LibraryRoutes(context, rejected, Duration.ofMillis(200));
  }

  @Test
  void skipsLibraryThatBlocksInConfigure() {
    libraries.add(provider(BlockingConfigure::new));
    assertSkipped("BlockingConfigure");
  }

  @Test
  void skipsLibraryWhoseConsumerBlocks() {
    context.addComponent("blocking", new RouteReloaderTest.BlockingComponent());
    libraries.add(provider(BlockingConsumer::new));
    assertSkipped("BlockingConsumer");
  }

  @Test
  void namesLibraryThatIgnoresInterrupts() throws Exception {
    Thread loading = new Thread(() -> libraries.add(provider(Uninterruptible::new)));
    loading.start();
    Awaitility.await()
        .until(
            () -> libraries.loading().filter(name -> name.endsWith("Uninterruptible")).isPresent());
    assertThat(Uninterruptible.INTERRUPTED.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(libraries.loading())
        .hasValueSatisfying(name -> assertThat(name).endsWith("Uninterruptible"));
    Uninterruptible.END.countDown();
    loading.join();
    assertThat(libraries.loading()).isEmpty();
  }

  private void assertSkipped(String name) {
    assertThat(rejected.describe())
        .hasValueSatisfying(description -> assertThat(description).contains(name));
    assertThat(context.getRoutes()).isEmpty();
    assertThat(libraries.loading()).isEqualTo(Optional.empty());
  }

  private static <T extends RoutesBuilder> ServiceLoader.Provider<RoutesBuilder> provider(
      Supplier<T> builder) {
    return new ServiceLoader.Provider<>() {
      @Override
      public Class<? extends RoutesBuilder> type() {
        return builder.get().getClass();
      }

      @Override
      public RoutesBuilder get() {
        return builder.get();
      }
    };
  }

  private static final class BlockingConfigure extends RouteBuilder {
    @Override
    public void configure() throws Exception {
      new CountDownLatch(1).await();
    }
  }

  private static final class Uninterruptible extends RouteBuilder {

    static final CountDownLatch INTERRUPTED = new CountDownLatch(1);
    static final CountDownLatch END = new CountDownLatch(1);

    @Override
    public void configure() {
      while (END.getCount() > 0) {
        try {
          END.await(10, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          // continues, as a read from a socket does
          INTERRUPTED.countDown();
        }
      }
    }
  }

  private static final class BlockingConsumer extends RouteBuilder {
    @Override
    public void configure() {
      from("blocking:x").routeId("blocking").log("hello");
    }
  }
}
