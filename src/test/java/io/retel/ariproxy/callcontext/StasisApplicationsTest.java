// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loss of applications to another client (docs/contract.md#fencing). */
class StasisApplicationsTest {

  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), System::nanoTime);
  private final StasisApplications applications =
      new StasisApplications(List.of("one", "two"), callContexts);

  @Test
  void losesAllButTheLast() {
    assertThat(applications.own()).containsExactly("one", "two");
    assertThat(applications.lose("two")).isTrue();
    assertThat(applications.lose("two")).isTrue();
    assertThat(applications.own()).containsExactly("one");
    assertThat(applications.lost()).containsExactly("two");
    assertThat(applications.lose("one")).isFalse();
    assertThat(applications.lose("unknown")).isFalse();
    assertThat(applications.own()).containsExactly("one");
  }

  @Test
  void reclaimsLostApplicationOnly() {
    applications.lose("two");
    assertThat(applications.reclaim("one")).isFalse();
    assertThat(applications.reclaim("two")).isTrue();
    assertThat(applications.reclaim("two")).isFalse();
    assertThat(applications.own()).containsExactly("one", "two");
  }

  @ParameterizedTest
  @CsvSource({
    "ws://h/ari/events?app=one%2Ctwo, ws://h/ari/events?app=one",
    "'ws://h/ari/events?app=two,three&subscribeAll=true', ws://h/ari/events?app=three&subscribeAll=true",
    "ws://h/ari/events?x=%2C&app=one, ws://h/ari/events?x=%2C&app=one",
    "ws://h/ari/events, ws://h/ari/events"
  })
  void requestsOnlyOwnApplications(URI address, URI expected) {
    assertThat(applications.withoutLost(address)).isSameAs(address);
    applications.lose("two");
    assertThat(applications.withoutLost(address)).isEqualTo(expected);
  }

  @Test
  void findsOwnerOfCallsAndResources() {
    channel("c1", "first", "one");
    channel("c2", "second", "two");
    channel("c3", "both", "one");
    channel("c4", "both", "two");
    callContexts.move(bridge("b2"), "second");
    callContexts.move(bridge("b3"), "both");
    assertThat(applications.lostOwner(List.of(channel("c2")), "second")).isEmpty();

    applications.lose("two");

    assertThat(applications.lostOwner(List.of(channel("c2")), "first")).contains("two");
    assertThat(applications.lostOwner(List.of(channel("c1")), "second")).isEmpty();
    assertThat(applications.lostOwner(List.of(bridge("b2")), "second")).contains("two");
    assertThat(applications.lostOwner(List.of(), "second")).contains("two");
    assertThat(applications.lostOwner(List.of(), null)).isEmpty();
    assertThat(applications.lostOwner(List.of(bridge("b3")), "both")).isEmpty();
    assertThat(applications.lostOwner(List.of(channel("c4")), "both")).contains("two");
    assertThat(applications.lostOwner(List.of(new Resource(ResourceType.APPLICATION, "two")), null))
        .contains("two");
    assertThat(applications.mappings())
        .containsOnlyKeys(channel("c1"), channel("c3"), bridge("b3"));

    applications.reclaim("two");
    assertThat(applications.lostOwner(List.of(channel("c2")), "second")).isEmpty();
    assertThat(applications.mappings()).hasSize(6);
  }

  private void channel(String id, String callContext, String application) {
    callContexts.move(channel(id), callContext);
    callContexts.enterStasis(channel(id), application);
  }

  private static Resource channel(String id) {
    return new Resource(ResourceType.CHANNEL, id);
  }

  private static Resource bridge(String id) {
    return new Resource(ResourceType.BRIDGE, id);
  }
}
