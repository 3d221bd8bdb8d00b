// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import org.apache.camel.Exchange;

/** A message is not copied, since too many copies wait. */
final class CopyRefusedException extends IllegalStateException {

  private static final long serialVersionUID = 1L;

  private final String original;

  private CopyRefusedException(String reason, String original) {
    super(reason);
    this.original = original;
  }

  /** Returns the refusal to copy a message. */
  static CopyRefusedException of(Exchange message, String reason) {
    return new CopyRefusedException(reason, message.getExchangeId());
  }

  /** Returns the refusal to queue the copy of a message. */
  static CopyRefusedException ofCopy(Exchange copy, String reason) {
    return new CopyRefusedException(
        reason, copy.getProperty(Exchange.CORRELATION_ID, "", String.class));
  }

  /** Whether the copy would be one of this message, not of one that another route processes. */
  boolean isCopyOf(Exchange message) {
    return message.getExchangeId().equals(original);
  }
}
