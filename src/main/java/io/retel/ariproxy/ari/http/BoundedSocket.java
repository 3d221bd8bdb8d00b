// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.io.Closer;
import org.jspecify.annotations.Nullable;

/**
 * A socket whose timeout is a deadline for everything until the next timeout is set, and not for
 * each read: a TLS handshake, the ping on a new connection, or a request with its response. Bytes
 * received until then are limited as well.
 *
 * <p>TLS reads and writes through it. A write past the deadline ends with {@link
 * #closeIfWriteIsOverdue}, since the JVM has no timeout for it. For one thread, except for {@link
 * #close} and {@link #closeIfWriteIsOverdue}.
 */
final class BoundedSocket extends Socket {

  /** A timeout of this value reads only what has arrived, without waiting. */
  static final int NO_WAIT_MS = 2;

  private static final long NANOS_PER_MS = 1_000_000;

  /** Two records of TLS, which have arrived by the deadline and are read after it. */
  private static final long MAX_OVERDUE_BYTES = 2 * 16_709;

  private final long maxReceivedBytes;
  private int timeoutMs;
  private long receivedBytes;

  /** Of these, the ones before the last read that began in time. */
  private long receivedInTimeBytes;

  private @Nullable InputStream in;
  private @Nullable OutputStream out;
  private volatile long deadlineNanos;
  private volatile boolean writing;

  /**
   * @param maxReceivedBytes limit of the bytes received for one timeout
   */
  BoundedSocket(long maxReceivedBytes) {
    this.maxReceivedBytes = maxReceivedBytes;
  }

  @Override
  public void setSoTimeout(int timeout) throws SocketException {
    super.setSoTimeout(timeout);
    timeoutMs = timeout;
    receivedBytes = 0;
    receivedInTimeBytes = 0;
    deadlineNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeout);
  }

  @Override
  public int getSoTimeout() {
    return timeoutMs;
  }

  /** Closes the socket if a write has not ended by the deadline. */
  void closeIfWriteIsOverdue() {
    if (writing && timeoutMs > 0 && deadlineNanos - System.nanoTime() < 0) {
      Closer.closeQuietly(this);
    }
  }

  @Override
  public InputStream getInputStream() throws IOException {
    InputStream bounded = in;
    if (bounded == null) {
      bounded = new BoundedInputStream(super.getInputStream());
      in = bounded;
    }
    return bounded;
  }

  @Override
  public OutputStream getOutputStream() throws IOException {
    OutputStream bounded = out;
    if (bounded == null) {
      bounded = new BoundedOutputStream(super.getOutputStream());
      out = bounded;
    }
    return bounded;
  }

  private void limitNextRead() throws IOException {
    if (receivedBytes >= maxReceivedBytes) {
      throw new IOException("Asterisk sent more than " + maxReceivedBytes + " bytes");
    }
    if (timeoutMs == NO_WAIT_MS && super.getInputStream().available() == 0) {
      throw new SocketTimeoutException("Read timed out");
    }
    if (timeoutMs > 0) {
      long remainingNanos = deadlineNanos - System.nanoTime();
      // what has already arrived is read after a deadline of 1 ms as well, in which the pool checks
      // for the end of a connection: TLS reads a record in two parts
      if (remainingNanos > 0) {
        receivedInTimeBytes = receivedBytes;
      } else if (receivedBytes > 0
          && (super.getInputStream().available() == 0
              || receivedBytes - receivedInTimeBytes > MAX_OVERDUE_BYTES)) {
        throw new SocketTimeoutException("Read timed out");
      }
      long remainingMs = (remainingNanos + NANOS_PER_MS - 1) / NANOS_PER_MS;
      super.setSoTimeout((int) Math.max(1, remainingMs));
    }
  }

  private final class BoundedInputStream extends FilterInputStream {

    BoundedInputStream(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      limitNextRead();
      int value = super.read();
      receivedBytes++;
      return value;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      limitNextRead();
      int count = super.read(buffer, offset, length);
      receivedBytes += Math.max(0, count);
      return count;
    }
  }

  private final class BoundedOutputStream extends FilterOutputStream {

    BoundedOutputStream(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int value) throws IOException {
      writing = true;
      try {
        out.write(value);
      } finally {
        writing = false;
      }
    }

    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
      writing = true;
      try {
        out.write(buffer, offset, length);
      } finally {
        writing = false;
      }
    }
  }
}
