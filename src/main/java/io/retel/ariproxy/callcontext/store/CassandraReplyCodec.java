// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import com.datastax.oss.driver.internal.core.protocol.ByteBufPrimitiveCodec;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the numbers and values that Cassandra sends, and rejects those that announce more than
 * they contain: the driver allocates rows, columns and values of that size before it reads them.
 */
final class CassandraReplyCodec extends ByteBufPrimitiveCodec {

  /** Of rows, columns, codes and ports. A page has at most 5,000 rows. */
  private static final int MAX_NUMBER = 0xFFFF;

  /** The last part of a frame's head is the length of its body. */
  private static final int FRAME_HEAD_BYTES = 9;

  /** Several frames can be in one segment of this length. */
  private static final int MAX_SEGMENT_BYTES = 0x1FFFF;

  /** Heap of an empty value beyond the four bytes that it has in a frame. */
  private static final int BYTES_PER_VALUE = 32;

  private final ReplyLimit limit;

  CassandraReplyCodec(ByteBufAllocator allocator, ReplyLimit limit) {
    super(allocator);
    this.limit = limit;
  }

  @Override
  public int readInt(ByteBuf source) {
    int number = super.readInt(source);
    boolean ofFrame = source.readerIndex() == FRAME_HEAD_BYTES || number <= MAX_SEGMENT_BYTES;
    if (number > MAX_NUMBER && !(ofFrame && number <= source.readableBytes())) {
      throw new IllegalArgumentException("Cassandra announces more than it sends: " + number);
    }
    return number;
  }

  @Override
  public @Nullable ByteBuffer readBytes(ByteBuf source) {
    int length = super.readInt(source);
    if (length > source.readableBytes() || !limit.acceptsAnnounced(BYTES_PER_VALUE)) {
      throw new IllegalArgumentException("Cassandra sends a malformed value or too many of them");
    }
    if (length < 0) {
      return null;
    }
    byte[] value = new byte[length];
    source.readBytes(value);
    return ByteBuffer.wrap(value);
  }
}
