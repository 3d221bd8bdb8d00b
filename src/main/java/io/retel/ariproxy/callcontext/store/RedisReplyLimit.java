// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.lettuce.core.resource.NettyCustomizer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Closes a connection to Redis whose replies exceed a limit: Lettuce would hold all of them. For
 * one connection at a time; thread-safe.
 */
final class RedisReplyLimit implements NettyCustomizer {

  private final long maxBytes;
  private final AtomicLong received = new AtomicLong();

  /**
   * @param maxBytes limit of what is received, TLS included, from one {@link #reset} to the next
   */
  RedisReplyLimit(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /** Starts to count again; for the thread that sends commands, before it sends them. */
  void reset() {
    received.set(0);
  }

  /** Whether the replies since the last {@link #reset} have exceeded the limit. */
  boolean isExceeded() {
    return received.get() > maxBytes;
  }

  long maxBytes() {
    return maxBytes;
  }

  @Override
  public void afterChannelInitialized(Channel channel) {
    channel
        .pipeline()
        .addFirst(
            new ChannelInboundHandlerAdapter() {
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
            });
  }
}
