// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

class ReplyLimitTest {

  private final ReplyLimit limit = new ReplyLimit(100);

  @Test
  void closesConnectionThatExceedsIt() {
    EmbeddedChannel connection = connection();
    connection.writeInbound(bytes(100));
    assertThat(connection.isOpen()).isTrue();
    assertThat(limit.isExceeded()).isFalse();

    ByteBuf last = bytes(1);
    connection.writeInbound(last);

    assertThat(connection.isOpen()).isFalse();
    assertThat(limit.isExceeded()).isTrue();
    assertThat(last.refCnt()).isZero();
    assertThat(connection.inboundMessages()).hasSize(1);
  }

  @Test
  void countsAllConnectionsSinceReset() {
    EmbeddedChannel one = connection();
    EmbeddedChannel other = connection();
    one.writeInbound(bytes(60));
    limit.reset();
    other.writeInbound(bytes(60));
    assertThat(other.isOpen()).isTrue();
    one.writeInbound(bytes(60));
    assertThat(one.isOpen()).isFalse();
  }

  private EmbeddedChannel connection() {
    EmbeddedChannel connection = new EmbeddedChannel();
    limit.addTo(connection);
    return connection;
  }

  private static ByteBuf bytes(int count) {
    return Unpooled.wrappedBuffer(new byte[count]);
  }
}
