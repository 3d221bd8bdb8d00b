// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.command.CommandParser;
import io.retel.ariproxy.command.RecordPosition;
import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Replay of recorded calls through the rules. */
class RecordedCallTest {

  private final CallContexts callContexts =
      new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), new FakeTicker());
  private final CallContextRules rules = new CallContextRules(callContexts);

  @ParameterizedTest
  @EnumSource
  void eventsOfRegisteredCallShareItsCallContext(RecordedTraffic recording) {
    register(recording);
    assertThat(recording.events().map(rules::map))
        .filteredOn(mapped -> !"one call".equals(mapped.callContext()))
        // device states are not part of a call
        .allMatch(MappedEvent::unmapped)
        .extracting(MappedEvent::type)
        .containsOnly("DeviceStateChanged");
  }

  /**
   * Without commands, each channel starts its own call on StasisStart, and earlier events are
   * unmapped. Therefore commands register the resources they create.
   */
  @ParameterizedTest
  @EnumSource
  void eventsBeforeStasisStartAreUnmappedWithoutCommands(RecordedTraffic recording) {
    List<String> unmapped =
        recording
            .events()
            .map(rules::map)
            .filter(MappedEvent::unmapped)
            .flatMap(mapped -> mapped.resources().stream())
            .map(Resource::key)
            .distinct()
            .toList();
    assertThat(unmapped)
        .containsExactlyInAnyOrder(
            "CHANNEL:chan-1",
            "CHANNEL:chan-1b",
            "CHANNEL:chan-2",
            "CHANNEL:ext-1",
            "DEVICE:Stasis:dev1");
  }

  @ParameterizedTest
  @EnumSource
  void destroyedChannelsAreMarkedEnded(RecordedTraffic recording) {
    register(recording);
    recording.events().map(rules::map).forEach(mapped -> {});
    List<String> destroyed =
        recording
            .events()
            .filter(event -> event.type().equals("ChannelDestroyed"))
            .map(AriEvent::json)
            .map(json -> "CHANNEL:" + json.at("/channel/id").asText())
            .toList();
    assertThat(destroyed)
        .isNotEmpty()
        .allMatch(key -> callContexts.cache().getIfPresent(key).ended());
  }

  /** Asterisk sends no ChannelDestroyed for a snoop channel. */
  @ParameterizedTest
  @EnumSource
  void snoopChannelIsEndedByStasisEnd(RecordedTraffic recording) {
    register(recording);
    recording
        .events()
        .takeWhile(
            event ->
                !(event.type().equals("StasisEnd")
                    && event.json().at("/channel/id").asText().equals("snoop-1")))
        .forEach(rules::map);
    assertThat(callContexts.cache().getIfPresent("CHANNEL:snoop-1").ended()).isFalse();
    recording.events().forEach(rules::map);
    assertThat(callContexts.cache().getIfPresent("CHANNEL:snoop-1").ended()).isTrue();
    // continued in the dialplan
    assertThat(callContexts.cache().getIfPresent("CHANNEL:chan-2").ended()).isFalse();
  }

  /** Registers created resources before any event, as the route does. */
  private void register(RecordedTraffic recording) {
    CommandParser reader = new CommandParser(callContexts);
    int offset = 0;
    for (byte[] value : recording.commands("one call")) {
      Command.Accepted command =
          reader
              .parse(new RecordPosition("commands", 0, offset++, "one call", Instant.EPOCH), value)
              .accepted();
      for (Resource created : command.created()) {
        callContexts.register(created, command.callContext(), false);
      }
    }
  }
}
