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
      current = new LimitedMembers(super.getContent());
      content = current;
    }
    return current;
  }

  @Override
  public long getContentLength() {
    return -1;
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
