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
   * @param maxBytes limit of what is received, TLS included, from one {@link #reset} to the next
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

  /** Limits what a new connection receives. */
  void addTo(Channel connection) {
    connection.pipeline().addFirst(new Handler());
  }

  private final class Handler extends ChannelInboundHandlerAdapter {

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof ByteBuf bytes
          && received.addAndGet(bytes.readableBytes()) > maxBytes) {
        ReferenceCountUtil.release(message);
        context.close();
        return;
      }
      context.fireChannelRead(message);
    }
  }
}
