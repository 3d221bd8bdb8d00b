package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;

/**
 * Stands next to the socket: lets reads through or not, and tells of whatever arrives, be it a part
 * of a message. On Netty's thread only.
 *
 * <p>Async HTTP Client asks for the next read after each one, whatever {@code autoRead} says, so
 * that {@code autoRead} alone stops nothing.
 */
final class ReadControlHandler extends ChannelDuplexHandler {

  private final Runnable onRead;
  private boolean pauseReading;

  ReadControlHandler(Runnable onRead) {
    this.onRead = onRead;
  }

  /** Reads the socket no more. */
  void pauseReading(Channel channel) {
    pauseReading = true;
    channel.config().setAutoRead(false);
  }

  /** Reads it again. */
  void resumeReading(Channel channel) {
    pauseReading = false;
    channel.config().setAutoRead(true);
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
