// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.logging.PayloadMasker;
import java.io.IOException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.apache.camel.Service;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.spi.BacklogTracer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Errors of HTTP steps in both tracers and in spans. */
class TracedErrorsTest {

  /** As Camel's HTTP component: the URL has the number that a caller dials, and a key. */
  private static final Exception NOT_FOUND =
      new IOException(
          "HTTP operation failed invoking http://crm/v2/493012345/calls?key=top"
              + " with statusCode: 404");

  private static final String SHORTENED = "http://crm/v2/***/calls?*** with statusCode: 404";

  private final PayloadMasker masker = new PayloadMasker(true);
  private final DefaultCamelContext context = new DefaultCamelContext();

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void logTracerShortensUrlOfError() throws Exception {
    context.getRegistry().bind("tracer", new LogTracer(masker));
    context.setTracing(true);
    try (CapturedLog log = new CapturedLog()) {
      ((Logger) LoggerFactory.getLogger("org.apache.camel.Tracing")).setLevel(Level.INFO);
      addRoute();
      failStep();
      assertThat(log.lines(Level.INFO))
          .anyMatch(line -> line.contains("failed: ") && line.contains(SHORTENED))
          .noneMatch(TracedErrorsTest::hasDetails);
    }
  }

  @Test
  void backlogTracerShortensUrlOfError() throws Exception {
    context.setBacklogTracing(true);
    addRoute();
    MaskedBacklogTracer.register(context, masker);
    failStep();
    MBeanServer beans = context.getManagementStrategy().getManagementAgent().getMBeanServer();
    ObjectName tracer =
        context
            .getManagementStrategy()
            .getManagementObjectNameStrategy()
            .getObjectNameForTracer(
                context,
                (Service) context.getCamelContextExtension().getContextPlugin(BacklogTracer.class));
    String dump =
        (String) beans.invoke(tracer, "dumpAllTracedMessagesAsJSon", new Object[0], new String[0]);
    assertThat(dump).contains(SHORTENED);
    assertThat(hasDetails(dump)).as(dump).isFalse();
  }

  @Test
  void spanShortensUrlOfError() {
    InMemorySpanExporter exporter = InMemorySpanExporter.create();
    try (SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .addSpanProcessor(SimpleSpanProcessor.create(new EscapingSpanExporter(exporter)))
            .build()) {
      Span span = provider.get("test").spanBuilder("step").startSpan();
      span.recordException(NOT_FOUND);
      span.setStatus(StatusCode.ERROR, NOT_FOUND.getMessage());
      span.end();
      SpanData exported = exporter.getFinishedSpanItems().get(0);
      String text = exported.getEvents() + " " + exported.getStatus();
      assertThat(exported.getStatus().getDescription()).endsWith(SHORTENED);
      assertThat(hasDetails(text)).as(text).isFalse();
    }
  }

  private static boolean hasDetails(String text) {
    return text.contains("493012345") || text.contains("key=top");
  }

  private void addRoute() throws Exception {
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("direct:lookup")
                .process(
                    exchange -> {
                      throw NOT_FOUND;
                    });
          }
        });
    context.start();
  }

  private void failStep() {
    assertThat(context.createFluentProducerTemplate().to("direct:lookup").send().getException())
        .isEqualTo(NOT_FOUND);
  }
}
