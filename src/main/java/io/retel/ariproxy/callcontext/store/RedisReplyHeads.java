// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.lettuce.core.protocol.CommandHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.regex.Pattern;

/**
 * Closes a connection to Redis whose replies announce more than {@link ReplyLimit} permits: the
 * driver allocates lists and texts of that size before their content arrives.
 *
 * <p>Reads the heads of the types that the store's commands return. Any other type, and a malformed
 * head, closes the connection: after an error, the driver would continue at another byte.
 */
final class RedisReplyHeads extends ChannelInboundHandlerAdapter {

  private static final String LINES = "+-:_(,#";
  private static final String TEXTS = "$!";
  private static final String LISTS = "*~>";
  private static final char MAP = '%';

  private static final Pattern SIZE = Pattern.compile(".(-1|\\d{1,10})\r");

  /** Enough for the longest head; only lines without a size are longer. */
  private static final int MAX_HEAD = 16;

  /** Lettuce creates two lists for a push, with a reference for each element. */
  private static final int BYTES_PER_ELEMENT = 8;

  /** Redis's limit. The driver calculates with 32 bits, and so would read other sizes. */
  private static final long MAX_TEXT_BYTES = 512 << 20;

  private static final int LINE_END = 2;

  private final ReplyLimit limit;
  private final StringBuilder head = new StringBuilder(MAX_HEAD);
  private long textBytes;

  /** TLS continues to decrypt what has arrived after the connection is closed. */
  private boolean rejected;

  RedisReplyHeads(ReplyLimit limit) {
    this.limit = limit;
  }

  /** Limits what a new connection announces, behind its TLS. */
  static void addTo(Channel connection, ReplyLimit limit) {
    String driver = connection.pipeline().context(CommandHandler.class).name();
    connection.pipeline().addBefore(driver, null, new RedisReplyHeads(limit));
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (rejected) {
      ReferenceCountUtil.release(message);
      return;
    }
    if (message instanceof ByteBuf bytes && !accepts(bytes)) {
      rejected = true;
      ReferenceCountUtil.release(message);
      // the failure of the current command
      context.fireExceptionCaught(new IOException("Redis sent a malformed or too large reply"));
      context.close();
      return;
    }
    context.fireChannelRead(message);
  }

  private boolean accepts(ByteBuf bytes) {
    int next = bytes.readerIndex();
    while (next < bytes.writerIndex()) {
      if (textBytes > 0) {
        int skipped = (int) Math.min(textBytes, bytes.writerIndex() - next);
        textBytes -= skipped;
        next += skipped;
        continue;
      }
      byte character = bytes.getByte(next++);
      if (character != '\n') {
        if (head.length() < MAX_HEAD) {
          head.append((char) character);
        }
        continue;
      }
      boolean accepted = acceptsHead();
      head.setLength(0);
      if (!accepted) {
        return false;
      }
    }
    return true;
  }

  private boolean acceptsHead() {
    char type = head.isEmpty() ? '\n' : head.charAt(0);
    if (LINES.indexOf(type) >= 0) {
      return true;
    }
    boolean text = TEXTS.indexOf(type) >= 0;
    if (!text && type != MAP && LISTS.indexOf(type) < 0) {
      return false;
    }
    if (!SIZE.matcher(head).matches()) {
      return false;
    }
    long size = Long.parseLong(head, 1, head.length() - 1, 10);
    if (size < 0) {
      return true;
    }
    if (text) {
      textBytes = size + LINE_END;
      return size <= MAX_TEXT_BYTES
          ? limit.acceptsText(size)
          : limit.acceptsAnnounced(Long.MAX_VALUE / 2);
    }
    return limit.acceptsAnnounced(size * (type == MAP ? 2 : 1) * BYTES_PER_ELEMENT);
  }
}
