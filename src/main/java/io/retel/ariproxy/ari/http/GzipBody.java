// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.jspecify.annotations.Nullable;

/** A compressed body, uncompressed. For one thread. */
final class GzipBody extends HttpEntityWrapper {

  /** In sequence, of a body: Java takes stack for each. */
  static final int MAX_EMPTY_MEMBERS = 100;

  private @Nullable InputStream content;

  GzipBody(HttpEntity compressed) {
    super(compressed);
  }

  @Override
  public InputStream getContent() throws IOException {
    InputStream current = content;
    if (current == null) {
      current = new Uncompressed(super.getContent());
      content = current;
    }
    return current;
  }

  @Override
  public long getContentLength() {
    return -1;
  }

  /**
   * Reads the head with the first byte: a body with a malformed one can be closed as well, which
   * releases its connection.
   */
  private static final class Uncompressed extends InputStream {

    private final InputStream compressed;
    private @Nullable InputStream members;

    Uncompressed(InputStream compressed) {
      this.compressed = compressed;
    }

    private InputStream members() throws IOException {
      InputStream current = members;
      if (current == null) {
        current = new LimitedMembers(compressed);
        members = current;
      }
      return current;
    }

    @Override
    public int read() throws IOException {
      return members().read();
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return members().read(buffer, offset, length);
    }

    @Override
    public void close() throws IOException {
      // also the inflater, whose memory is outside of the heap
      (members == null ? compressed : members).close();
    }
  }

  /** It calls itself for the next member of the body if one is empty. */
  private static final class LimitedMembers extends GZIPInputStream {

    private int emptyMembers;

    LimitedMembers(InputStream in) throws IOException {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (emptyMembers > MAX_EMPTY_MEMBERS) {
        throw new IOException(
            "the compressed response has more than " + MAX_EMPTY_MEMBERS + " empty parts");
      }
      emptyMembers++;
      try {
        return super.read(buffer, offset, length);
      } finally {
        emptyMembers--;
      }
    }
  }
}
