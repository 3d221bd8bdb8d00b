// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.IOException;
import java.io.InputStream;
import java.util.function.UnaryOperator;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.HttpEntityWrapper;
import org.jspecify.annotations.Nullable;

/** A body whose stream is replaced, once. For one thread. */
class WrappedBody extends HttpEntityWrapper {

  private final UnaryOperator<InputStream> wrap;
  private @Nullable InputStream content;

  /**
   * @param wrap returns the stream to read instead
   */
  WrappedBody(HttpEntity body, UnaryOperator<InputStream> wrap) {
    super(body);
    this.wrap = wrap;
  }

  @Override
  public final InputStream getContent() throws IOException {
    InputStream current = content;
    if (current == null) {
      current = wrap.apply(super.getContent());
      content = current;
    }
    return current;
  }

  /** Closes the stream to read instead: the original one would read the body to its end. */
  @Override
  public final void close() throws IOException {
    getContent().close();
  }
}
