// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;

/**
 * Channel handler that pauses reads and reports all incoming data, even partial messages. On
 * Netty's thread only.
 *
 * <p>Async HTTP Client requests the next read after each one, so turning off {@code autoRead} alone
 * does not pause reads.
 */
final class ReadControlHandler extends ChannelDuplexHandler {

  private final Runnable onConnected;
  private final Runnable onRead;
  private boolean pauseReading;

  /**
   * @param onConnected called once the TCP connection is established
   * @param onRead called for each read
   */
  ReadControlHandler(Runnable onConnected, Runnable onRead) {
    this.onConnected = onConnected;
    this.onRead = onRead;
  }

  /** Pauses reads from the socket. */
  void pauseReading(Channel channel) {
    pauseReading = true;
    channel.config().setAutoRead(false);
  }

  /** Resumes reads from the socket. */
  void resumeReading(Channel channel) {
    pauseReading = false;
    channel.config().setAutoRead(true);
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    onConnected.run();
    context.fireChannelActive();
  }

  @Override
  public void read(ChannelHandlerContext context) {
    if (!pauseReading) {
      context.read();
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    onRead.run();
    context.fireChannelRead(message);
  }
}
