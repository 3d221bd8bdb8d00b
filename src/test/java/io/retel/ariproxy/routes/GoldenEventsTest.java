// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.fixtures.golden.GoldenEvent;
import io.retel.ariproxy.metrics.Meters;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.mock.MockEndpoint;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each golden event yields its golden record, through the shipped routes. */
class GoldenEventsTest {

  @AutoClose private static RoutesUnderTest routes;

  @BeforeAll
  static void start() throws Exception {
    routes = RoutesUnderTest.start();
  }

  static List<GoldenEvent> pairs() {
    return GoldenEvent.all();
  }

  @BeforeEach
  void resetMappings() {
    routes.reset();
    @SuppressWarnings("unchecked")
    Cache<String, Mapping> callContexts =
        routes.context().getRegistry().lookupByNameAndType("callContexts", Cache.class);
    callContexts.invalidateAll();
    GoldenEvent.mappings()
        .forEach(
            (resource, callContext) -> callContexts.put(resource, Mapping.of(callContext, "", 0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("pairs")
  void matchesGoldenRecord(GoldenEvent golden) {
    int unpublishedBefore = unpublishedCount();
    routes.sendEvent(golden.event());

    List<GoldenEvent> records = new ArrayList<>();
    records.addAll(records("mapped", routes.mappedTopic(), golden));
    records.addAll(records("unmapped", routes.unmappedTopic(), golden));
    if (golden.topic().equals("none")) {
      assertThat(records).isEmpty();
      assertThat(unpublishedCount()).isEqualTo(unpublishedBefore + 1);
    } else {
      assertThat(records).usingRecursiveFieldByFieldElementComparator().containsExactly(golden);
      assertThat(unpublishedCount()).isEqualTo(unpublishedBefore);
    }
  }

  private static int unpublishedCount() {
    return routes.counterValue(Meters.EVENTS_INTERNAL)
        + routes.counterValue(Meters.EVENTS_MALFORMED);
  }

  private static List<GoldenEvent> records(String topic, MockEndpoint mock, GoldenEvent golden) {
    List<GoldenEvent> records = new ArrayList<>();
    for (Exchange exchange : mock.getReceivedExchanges()) {
      records.add(
          new GoldenEvent(
              golden.name(),
              golden.event(),
              topic,
              exchange.getMessage().getHeader(KafkaConstants.KEY, String.class),
              new String(value(exchange.getMessage().getBody()), StandardCharsets.UTF_8)));
    }
    return records;
  }

  /** Returns the value of the first record: an event of several calls has one for each. */
  private static byte[] value(Object body) {
    return body instanceof Iterable<?> records
        ? ((Message) records.iterator().next()).getBody(byte[].class)
        : (byte[]) body;
  }
}
