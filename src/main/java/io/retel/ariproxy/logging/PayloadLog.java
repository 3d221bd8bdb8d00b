package io.retel.ariproxy.logging;

import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a line for every event, command and RESPONSE, with its payload, at DEBUG and at no other
 * level. Its logger has this class's name.
 */
public final class PayloadLog {

  private static final Logger LOG = LoggerFactory.getLogger(PayloadLog.class);

  private final PayloadMasker masker;

  /**
   * @param mask goes over the payloads
   */
  public PayloadLog(PayloadMasker masker) {
    this.masker = masker;
  }

  /** What is about to be published. */
  public void logPublished(byte[] envelope) {
    log("to Kafka", envelope);
  }

  /** What came as a command. */
  public void logReceived(byte[] command) {
    log("from Kafka", command);
  }

  private void log(String direction, byte[] json) {
    if (LOG.isDebugEnabled()) {
      LOG.debug(
          "{}: {}",
          direction,
          json == null ? "nothing" : masker.mask(new String(json, StandardCharsets.UTF_8)));
    }
  }
}
