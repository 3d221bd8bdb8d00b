// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DEBUG log of every event, command and RESPONSE with its payload. Its logger has this class's
 * name.
 */
public final class PayloadLog {

  private static final Logger LOG = LoggerFactory.getLogger(PayloadLog.class);

  private final PayloadMasker masker;

  /**
   * @param masker masks the payloads
   */
  public PayloadLog(PayloadMasker masker) {
    this.masker = masker;
  }

  /** Logs an envelope about to be published. */
  public void logPublished(byte[] envelope) {
    log("to Kafka", envelope);
  }

  /** Logs a received command; null for a record without value. */
  public void logReceived(byte @Nullable [] command) {
    log("from Kafka", command);
  }

  private void log(String direction, byte @Nullable [] json) {
    if (LOG.isDebugEnabled()) {
      LOG.debug("{}: {}", direction, json == null ? "nothing" : mask(json));
    }
  }

  /** Never fails: a message does not depend on its log line. */
  private String mask(byte[] json) {
    try {
      return masker.mask(json);
    } catch (RuntimeException | StackOverflowError e) {
      return json.length + " bytes, not masked: " + e.getClass().getName();
    }
  }
}
