// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Event filters apply to synthetic events (docs/contract.md#resync). */
class FindMissedEventsTest {

  private final Subscriptions subscriptions =
      new Subscriptions(WriteBehind.noop(new SimpleMeterRegistry()));

  @Test
  void hidesDisallowedTypesOfTheApplication() throws Exception {
    subscriptions.updateFilter(
        "app", new ObjectMapper().readTree("{\"disallowed\":[{\"type\":\"StasisEnd\"}]}"));

    assertThat(visible(event("StasisEnd", "app"), event("StasisEnd", "other")))
        .containsExactly("StasisEnd other");
    assertThat(visible(event("StasisStart", "app"), event("AriConnectionRestored", "app")))
        .containsExactly("StasisStart app", "AriConnectionRestored app");
  }

  @Test
  void hidesTypesThatAreNotAllowed() throws Exception {
    subscriptions.updateFilter(
        "app", new ObjectMapper().readTree("{\"allowed\":[{\"type\":\"StasisEnd\"}]}"));

    assertThat(visible(event("ChannelDestroyed", "app"), event("StasisEnd", "app")))
        .containsExactly("StasisEnd app");
    assertThat(visible(event("AriConnectionRestored", "app")))
        .containsExactly("AriConnectionRestored app");
  }

  private List<String> visible(AriEvent... events) {
    List<MappedEvent> mapped =
        Stream.of(events).map(event -> new MappedEvent(event, "call", event.resources())).toList();
    return FindMissedEvents.withoutHidden(mapped, subscriptions).stream()
        .map(event -> event.type() + " " + event.event().application())
        .toList();
  }

  private static AriEvent event(String type, String application) {
    return AriEvent.parse("{\"type\":\"%s\",\"application\":\"%s\"}".formatted(type, application));
  }
}
