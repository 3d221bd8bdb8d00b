// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.AsyncCallback;
import org.apache.camel.Exchange;
import org.apache.camel.NamedNode;
import org.apache.camel.NamedRoute;
import org.apache.camel.Processor;
import org.apache.camel.Route;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.impl.engine.DefaultTracer;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.spi.SynchronizationRouteAware;
import org.apache.camel.support.AsyncProcessorSupport;
import org.apache.camel.support.SynchronizationAdapter;
import org.apache.camel.support.processor.DelegateAsyncProcessor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Routes do the same with direct channels as with those of Camel, and less for each step. */
class DirectChannelTest {

  /** What happened, in order. */
  private final List<String> happened = Collections.synchronizedList(new ArrayList<>());

  private DefaultCamelContext context;

  @BeforeEach
  void create() {
    context = create(true);
  }

  @AfterEach
  void stop() {
    context.stop();
  }

  private DefaultCamelContext create(boolean direct) {
    DefaultCamelContext created = new DefaultCamelContext();
    if (direct) {
      DirectChannels.install(created);
    }
    // as in the shipped routes
    created.setStreamCaching(false);
    created.disableJMX();
    return created;
  }

  private static final class OnPurposeException extends Exception {

    private static final long serialVersionUID = 1L;

    OnPurposeException(String message) {
      super(message);
    }
  }

  private static final class RepeatableException extends Exception {

    private static final long serialVersionUID = 1L;
  }

  private Processor step(String name) {
    return exchange -> {
      happened.add(name + " in " + exchange.getExchangeExtension().getHistoryNodeId());
      exchange.getMessage().setBody(exchange.getMessage().getBody() + ">" + name);
    };
  }

  private Processor failing(String name) {
    return exchange -> {
      happened.add(name);
      throw new OnPurposeException(name);
    };
  }

  /** Fails twice, after it has changed the message. */
  private Processor failingTwice(String name) {
    AtomicInteger attempts = new AtomicInteger();
    return exchange -> {
      happened.add(name + ' ' + exchange.getMessage().getBody());
      exchange.getMessage().setBody("changed");
      if (attempts.incrementAndGet() <= 2) {
        throw new RepeatableException();
      }
    };
  }

  /** Continues on another thread, and can fail there. */
  private final class Asynchronous extends AsyncProcessorSupport {

    private final boolean fails;

    Asynchronous(boolean fails) {
      this.fails = fails;
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      happened.add("asynchronous");
      CompletableFuture.runAsync(
          () -> {
            if (fails) {
              exchange.setException(new OnPurposeException("later"));
            }
            callback.done(false);
          });
      return false;
    }
  }

  /** Sends a message to the route that it is in, as often as this. */
  public static final class Countdown {

    private int remaining;

    Countdown(int count) {
      remaining = count;
    }

    public String next() {
      remaining--;
      return remaining > 0 ? "direct:again" : "";
    }

    public List<Integer> all() {
      return Collections.nCopies(remaining, 1);
    }
  }

  private RouteBuilder routes() {
    return new RouteBuilder() {
      @Override
      public void configure() {
        from("direct:steps")
            .process(step("a"))
            .id("a")
            .filter(body().contains(">a"))
            .process(step("b"))
            .id("b")
            .end()
            .choice()
            .when(body().contains(">x"))
            .process(step("x"))
            .otherwise()
            .process(step("c"))
            .id("c")
            .end()
            .to("direct:called")
            .process(step("d"))
            .id("d");
        from("direct:called").errorHandler(noErrorHandler()).process(step("called")).id("called");
        from("direct:stops").process(step("a")).stop().process(step("b"));
        from("direct:stops-route")
            .process(exchange -> exchange.setRouteStop(true))
            .process(step("b"));
        from("direct:fails").process(step("a")).process(failing("b")).process(step("c"));
        handling("direct:handled").process(failing("b")).process(step("c"));
        handling("direct:fails-within-called").to("direct:fails-in-called").process(step("c"));
        from("direct:fails-in-called")
            .errorHandler(noErrorHandler())
            .process(failing("b"))
            .process(step("unreached"));
        handling("direct:fails-later").process(new Asynchronous(true)).process(step("c"));
        handling("direct:asynchronous").process(new Asynchronous(false)).process(step("c"));
        handling("direct:interrupted")
            .process(exchange -> exchange.getExchangeExtension().setInterrupted(true))
            .process(step("c"));
        from("direct:continued")
            .onException(OnPurposeException.class)
            .continued(true)
            .process(step("handler"))
            .end()
            .process(failing("b"))
            .process(step("c"));
        from("direct:fails-in-handler")
            .onException(OnPurposeException.class)
            .handled(true)
            .process(failing("handler"))
            .end()
            .process(failing("b"));
        repeating("direct:repeated").process(step("a")).process(failingTwice("b"));
        from("direct:try")
            .doTry()
            .process(failing("b"))
            .doCatch(OnPurposeException.class)
            .process(step("caught"))
            .doFinally()
            .process(step("finally"))
            .end()
            .process(step("c"));
        from("direct:only")
            .onException(OnPurposeException.class)
            .handled(true)
            .process(step("handler"))
            .end()
            .process(failing("only"));
        from("direct:again").recipientList(method(new Countdown(5_000), "next"));
        from("direct:many")
            .split(method(new Countdown(20_000), "all"))
            .process(exchange -> {})
            .end()
            .process(step("after"));
        from("direct:delayed").delayer(1).process(step("a"));
        from("direct:history").messageHistory().process(step("a")).id("with-history");
      }

      private ProcessorDefinition<?> handling(String uri) {
        return from(uri)
            .onException(OnPurposeException.class)
            .handled(true)
            .process(step("handler"))
            .process(
                exchange ->
                    happened.add(
                        "caught "
                            + exchange
                                .getProperty(Exchange.EXCEPTION_CAUGHT, Exception.class)
                                .getMessage()))
            .end()
            .process(step("a"))
            .id("first-of-" + uri);
      }

      private ProcessorDefinition<?> repeating(String uri) {
        return from(uri)
            .onException(RepeatableException.class)
            .maximumRedeliveries(3)
            .redeliveryDelay(0)
            .end()
            .process(step("first"))
            .id("first-of-" + uri);
      }
    };
  }

  @ParameterizedTest
  @CsvSource({
    "direct:steps",
    "direct:stops",
    "direct:stops-route",
    "direct:fails",
    "direct:handled",
    "direct:fails-within-called",
    "direct:fails-later",
    "direct:asynchronous",
    "direct:interrupted",
    "direct:continued",
    "direct:fails-in-handler",
    "direct:repeated",
    "direct:try",
    "direct:only",
    "direct:again",
    "direct:many",
    "direct:delayed",
    "direct:history"
  })
  void doesWhatCamelDoes(String route) throws Exception {
    List<String> expected;
    try (DefaultCamelContext camel = create(false)) {
      expected = run(camel, route);
    }

    assertThat(run(context, route)).isEqualTo(expected).isNotEmpty();
  }

  /** Returns what happens to a message. */
  private List<String> run(DefaultCamelContext running, String route) throws Exception {
    happened.clear();
    running.addRoutes(routes());
    running.start();
    Exchange sent =
        running
            .createProducerTemplate()
            .send(
                route,
                exchange -> {
                  exchange.getMessage().setBody("body");
                  exchange
                      .getExchangeExtension()
                      .addOnCompletion(
                          new SynchronizationAdapter() {
                            @Override
                            public void onDone(Exchange done) {
                              happened.add("done");
                            }
                          });
                });
    happened.add("body " + sent.getMessage().getBody());
    happened.add("error " + sent.getException());
    happened.add("caught " + sent.getProperty(Exchange.EXCEPTION_CAUGHT));
    happened.add("failed in " + sent.getProperty(Exchange.FAILURE_ROUTE_ID));
    happened.add("history " + sent.getExchangeExtension().getHistoryNodeId());
    happened.add("handled " + sent.getExchangeExtension().isFailureHandled());
    happened.add("repeated " + sent.getMessage().getHeader(Exchange.REDELIVERY_COUNTER));
    // Camel numbers steps and routes without an id
    return happened.stream().map(each -> each.replaceAll("(process|route)\\d+", "$1")).toList();
  }

  @Test
  void callsErrorHandlerOnlyAfterError() throws Exception {
    List<StackTraceElement[]> stacks = new ArrayList<>();
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:in")
                .process(exchange -> stacks.add(new Throwable().getStackTrace()))
                .process(step("b"));
          }
        });
    context.start();

    context.createProducerTemplate().sendBody("direct:in", "");

    assertThat(stacks.get(0))
        .extracting(StackTraceElement::getClassName)
        .contains(DirectChannel.class.getName())
        .noneMatch(name -> name.contains("ErrorHandler"));
  }

  /** Such as the one that ends the process if memory is short. */
  @Test
  void interceptorReturnsBeforeErrorIsHandled() throws Exception {
    List<String> expected;
    try (DefaultCamelContext camel = create(false)) {
      expected = runIntercepted(camel);
    }
    assertThat(expected).containsExactly("only", "intercepted", "handler in handler");

    assertThat(runIntercepted(context)).isEqualTo(expected);
  }

  private List<String> runIntercepted(DefaultCamelContext running) throws Exception {
    happened.clear();
    running
        .getCamelContextExtension()
        .addInterceptStrategy(
            (camel, definition, target, next) ->
                definition.getId().equals("only") ? new Intercepting(target) : target);
    running.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:in")
                .onException(OnPurposeException.class)
                .handled(true)
                .process(step("handler"))
                .id("handler")
                .end()
                .process(failing("only"))
                .id("only");
          }
        });
    running.start();
    running.createProducerTemplate().sendBody("direct:in", "");
    return List.copyOf(happened);
  }

  private final class Intercepting extends DelegateAsyncProcessor {

    Intercepting(Processor step) {
      super(step);
    }

    @Override
    public boolean process(Exchange exchange, AsyncCallback callback) {
      boolean doneSync = super.process(exchange, callback);
      happened.add("intercepted");
      return doneSync;
    }
  }

  @Test
  void tracesStepsWhileTracerIsEnabled() throws Exception {
    List<String> traced = new ArrayList<>();
    context.setTracingStandby(true);
    context.setTracer(
        new DefaultTracer() {
          @Override
          public void traceBeforeNode(NamedNode node, Exchange exchange) {
            traced.add(node.getId());
          }

          @Override
          public void traceBeforeRoute(NamedRoute route, Exchange exchange) {
            traced.add(route.getRouteId());
          }
        });
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:in").routeId("in").process(step("a")).id("a").process(step("b")).id("b");
          }
        });
    context.start();
    context.getTracer().setEnabled(false);

    context.createProducerTemplate().sendBody("direct:in", "");
    assertThat(traced).isEmpty();

    context.getTracer().setEnabled(true);
    context.createProducerTemplate().sendBody("direct:in", "");
    assertThat(traced).containsExactly("in", "a", "b");
  }

  @Test
  void notifiesCompletionOfRoutes() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:in").routeId("in").process(step("a")).to("direct:called");
            from("direct:called").routeId("called").process(step("b"));
          }
        });
    context.start();

    context
        .createProducerTemplate()
        .send(
            "direct:in",
            exchange -> exchange.getExchangeExtension().addOnCompletion(new OfRoutes()));

    assertThat(happened)
        .filteredOn(each -> each.startsWith("before") || each.startsWith("after"))
        .containsExactly("before in", "before called", "after called", "after in");
  }

  private final class OfRoutes extends SynchronizationAdapter {

    @Override
    public SynchronizationRouteAware getRouteSynchronization() {
      return new SynchronizationRouteAware() {
        @Override
        public void onBeforeRoute(Route route, Exchange exchange) {
          happened.add("before " + route.getId());
        }

        @Override
        public void onAfterRoute(Route route, Exchange exchange) {
          happened.add("after " + route.getId());
        }
      };
    }
  }
}
