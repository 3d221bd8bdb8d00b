// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages arrive complete, or are dropped if too large. */
class AhcWsConsumerMessageSizeTest extends AhcWsTestSupport {

  private static final String MULTI_BYTE_TEXT = "{\"name\":\"Grüße, 漢字, 🎉\"}";

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 1000})
  void reassemblesFragments(int frameSize) throws Exception {
    startConnected("");
    asterisk.websocketFaults(APP).sendFragmented(MULTI_BYTE_TEXT, frameSize);
    asterisk.emit(APP, "next");
    awaitReceived(2);
    assertThat(received).containsExactly(MULTI_BYTE_TEXT, "next");
  }

  @Test
  void receivesLargeMessage() throws Exception {
    startConnected("");
    String large = asterisk.websocketFaults(APP).sendHuge(10 * 1024 * 1024);
    awaitReceived(1);
    assertThat(received.iterator().next().equals(large)).isTrue();
  }

  @Test
  void receivesLargeFragmentedMessage() throws Exception {
    startConnected("");
    String large = "ü".repeat(5 * 1024 * 1024);
    asterisk.websocketFaults(APP).sendFragmented(large, 65_535);
    awaitReceived(1);
    assertThat(received.iterator().next().equals(large)).isTrue();
  }

  @Test
  void receivesBinaryMessage() throws Exception {
    startConnected("");
    asterisk.websocketFaults(APP).sendBinary(new byte[] {0, -1, 2});
    awaitReceived(1);
    assertThat(received).containsExactly(new byte[] {0, -1, 2});
  }

  @ParameterizedTest
  @ValueSource(ints = {10_000, 300})
  void reconnectsAfterOversizedMessage(int frameSize) throws Exception {
    startConnected("maxMessageSize=1000");
    String largest = "x".repeat(1000);
    asterisk.websocketFaults(APP).sendFragmented(largest, frameSize);
    awaitReceived(1);
    try (CapturedLog log = new CapturedLog()) {
      asterisk.websocketFaults(APP).sendFragmented("y".repeat(1001), frameSize);
      await().until(() -> asterisk.totalWebsocketCount() == 2);
      awaitConnected();
      asterisk.emit(APP, "later");
      awaitReceived(2);
      assertThat(received).containsExactly(largest, "later");
      assertThat(log.lines(Level.ERROR))
          .singleElement()
          .asString()
          .contains("larger than maxMessageSize=1000 bytes");
      assertThat(context.getComponent("ahc-ws", AhcWsComponent.class).lostMessages()).isOne();
    }
  }
}
