// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Properties;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OverriddenOptionsTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "camel.component.kafka.maxPollRecords",
        "camel.component.kafka.max-poll-records",
        "camel.component.kafka.configuration.max-poll-records"
      })
  void namesOptionsThatRoutesSet(String option) throws Exception {
    try (DefaultCamelContext context = context(option)) {
      assertThat(OverriddenOptions.warning(context))
          .hasValue(
              "Component options have no effect on routes that set the same parameter: "
                  + option
                  + "; edit these routes");
    }
  }

  @Test
  void acceptsOptionsThatNoRouteSets() throws Exception {
    try (DefaultCamelContext context = context("camel.component.kafka.clientId")) {
      assertThat(OverriddenOptions.warning(context)).isEmpty();
    }
  }

  private static DefaultCamelContext context(String option) throws Exception {
    DefaultCamelContext context = new DefaultCamelContext();
    Properties properties = new Properties();
    properties.setProperty(option, "100");
    context.getPropertiesComponent().setInitialProperties(properties);
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("kafka:commands?maxPollRecords=50&brokers=localhost:1")
                .autoStartup(false)
                .to("log:commands");
          }
        });
    context.start();
    return context;
  }
}
