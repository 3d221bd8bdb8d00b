// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisReplyHeadsTest {

  private static final int LIMIT = 800;

  private final ReplyLimit limit = new ReplyLimit(LIMIT);
  private final EmbeddedChannel connection = new EmbeddedChannel(new RedisReplyHeads(limit));

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*101\r\n",
        "~101\r\n",
        ">101\r\n",
        "%51\r\n",
        "$801\r\n",
        "!801\r\n",
        ">2147483647\r\n",
        "*50\r\n*50\r\n*1\r\n",
        "$1\r\n*\r\n*101\r\n",
        "+OK\r\n$-1\r\n*-1\r\n*101\r\n"
      })
  void closesConnectionThatAnnouncesMore(String reply) {
    ByteBuf bytes = bytes(reply);
    send(bytes);
    assertThat(connection.isOpen()).isFalse();
    assertThat(limit.isExceeded()).isTrue();
    assertThat(bytes.refCnt()).isZero();
    assertThat(connection.inboundMessages()).isEmpty();
  }

  /** As TLS does with what it has received before the connection is closed. */
  @Test
  void dropsWhatFollowsRejectedReply() {
    ChannelOutboundHandlerAdapter tls =
        new ChannelOutboundHandlerAdapter() {
          @Override
          public void close(ChannelHandlerContext context, ChannelPromise promise) {
            // waits for the other side
          }
        };
    EmbeddedChannel slow = new EmbeddedChannel(tls, new RedisReplyHeads(limit));
    assertThatThrownBy(() -> slow.writeInbound(bytes("$801\r\n")))
        .hasMessageContaining("malformed or too large");
    ByteBuf next = bytes(">2147483647\r\n");
    slow.writeInbound(next);
    assertThat(next.refCnt()).isZero();
    assertThat(slow.inboundMessages()).isEmpty();
  }

  /** The driver would continue at another byte. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "H>2147483647\r\n",
        "\u0080>2147483647\r\n",
        "*\r\n",
        "*1",
        "*1 \r\n",
        "*+1\r\n",
        "*-2\r\n",
        "*4294967297000\r\n",
        "$-3\r\n",
        "$?\r\n",
        "$00000000000000000001\r\n",
        "=5\r\ntxt:a\r\n",
        "|1\r\n",
        "@1\r\n"
      })
  void closesConnectionWithMalformedHead(String reply) {
    send(bytes(reply.endsWith("\n") ? reply : reply + "\n"));
    assertThat(connection.isOpen()).isFalse();
    assertThat(limit.isExceeded()).isFalse();
  }

  @Test
  void passesReplies() {
    String reply =
        "%1\r\n+proto\r\n:3\r\n"
            + "*2\r\n$1\r\n0\r\n*2\r\n$9\r\n*9999999\n\r\n$13\r\n\r\n>2147483647\r\n"
            + "_\r\n(12345678901234567890123\r\n"
            + "-ERR *999999999999 "
            + "x".repeat(100)
            + "\r\n$0\r\n\r\n!3\r\nERR\r\n>1\r\n+a\r\n";
    // in one part, and in parts of one byte
    connection.writeInbound(bytes(reply));
    reply.chars().forEach(each -> connection.writeInbound(bytes(Character.toString(each))));
    assertThat(connection.isOpen()).isTrue();
    StringBuilder passed = new StringBuilder();
    for (ByteBuf part = connection.readInbound(); part != null; part = connection.readInbound()) {
      passed.append(part.toString(UTF_8));
    }
    assertThat(passed).hasToString(reply + reply);
  }

  @Test
  void countsSinceReset() {
    connection.writeInbound(bytes("*100\r\n"));
    limit.reset();
    connection.writeInbound(bytes("*100\r\n"));
    assertThat(connection.isOpen()).isTrue();
    send(bytes("*1\r\n"));
    assertThat(connection.isOpen()).isFalse();
  }

  private void send(ByteBuf rejected) {
    assertThatThrownBy(() -> connection.writeInbound(rejected))
        .hasMessage("Redis sent a malformed or too large reply");
  }

  private static ByteBuf bytes(String reply) {
    return Unpooled.copiedBuffer(reply, UTF_8);
  }
}
