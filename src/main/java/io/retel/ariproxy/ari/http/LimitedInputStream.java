// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Fails beyond a number of bytes, with a {@link TooLargeException}. For one thread. */
public final class LimitedInputStream extends FilterInputStream {

  private final long maxBytes;
  private final String what;
  private long bytes;

  /**
   * @param what is limited, for the message of the exception
   */
  public LimitedInputStream(InputStream in, long maxBytes, String what) {
    super(in);
    this.maxBytes = maxBytes;
    this.what = what;
  }

  /** Counts from 0 again. */
  public void restart() {
    bytes = 0;
  }

  @Override
  public int read() throws IOException {
    int value = super.read();
    count(value < 0 ? 0 : 1);
    return value;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int count = super.read(buffer, offset, length);
    count(Math.max(count, 0));
    return count;
  }

  private void count(int read) throws IOException {
    bytes += read;
    if (bytes > maxBytes) {
      throw new TooLargeException(what + " has more than " + maxBytes + " bytes");
    }
  }
}
