// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.handover;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A context with a route that calls another one through a handover point. */
abstract class HandoverTestSupport {

  static final String CALLED = "called";

  final DefaultCamelContext context = new DefaultCamelContext();
  ProducerTemplate template;

  @BeforeEach
  void configureContext() {
    context.disableJMX();
    context.getShutdownStrategy().setTimeout(15);
    template = context.createProducerTemplate();
  }

  @AfterEach
  void stopContext() {
    context.stop();
  }

  RouteBuilder callerRoute(String options) {
    return new RouteBuilder() {
      @Override
      public void configure() {
        errorHandler(noErrorHandler());
        from("direct:calling").routeId("calling").to("handover:point" + options);
      }
    };
  }

  RouteBuilder calledRoute(String id, Processor processor) {
    return new RouteBuilder() {
      @Override
      public void configure() {
        errorHandler(noErrorHandler());
        from("handover:point").routeId(id).process(processor);
      }
    };
  }

  Exchange send(Object body) {
    return template.send("direct:calling", exchange -> exchange.getMessage().setBody(body));
  }
}
