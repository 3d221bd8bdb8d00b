// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;

/**
 * Logback encoder of {@code logging.format = json}: an object per line. A program that decodes its
 * texts gets them escaped, as in the text format.
 */
public final class JsonLogEncoder extends JsonEncoder {

  @Override
  public byte[] encode(ILoggingEvent event) {
    return super.encode(new EscapedEvent(event));
  }
}
