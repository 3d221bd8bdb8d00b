// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Closes the connections to a store whose replies exceed a limit: its driver would hold all of
 * them. Thread-safe.
 */
final class ReplyLimit {

  private final long maxBytes;
  private final AtomicLong received = new AtomicLong();

  /**
   * @param maxBytes limit of what is received, TLS included, and of what the driver allocates
   *     before it is received, from one {@link #reset} to the next
   */
  ReplyLimit(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Starts to count again; for the thread that sends requests, before it sends them. */
  void reset() {
    received.set(0);
  }

  /** Whether the replies since the last {@link #reset} have exceeded the limit. */
  boolean isExceeded() {
    return received.get() > maxBytes;
  }

  /** Counts what the driver allocates before it is received; false beyond the limit. */
  boolean acceptsAnnounced(long bytes) {
    return add(bytes) <= maxBytes;
  }

  /** Does not overflow. */
  private long add(long bytes) {
    return received.accumulateAndGet(
        bytes, (sum, added) -> sum > Long.MAX_VALUE - added ? Long.MAX_VALUE : sum + added);
  }

  /** Whether a text can be received; it counts as it arrives, or at once if it is too long. */
  boolean acceptsText(long bytes) {
    return bytes <= maxBytes || acceptsAnnounced(bytes);
  }

  /** Limits what a new connection receives. */
  void addTo(Channel connection) {
    connection.pipeline().addFirst(new Handler());
  }

  private final class Handler extends ChannelInboundHandlerAdapter {

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof ByteBuf bytes && add(bytes.readableBytes()) > maxBytes) {
        ReferenceCountUtil.release(message);
        context.close();
        return;
      }
      context.fireChannelRead(message);
    }
  }
}
