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

  private final Mask mask;

  /**
   * @param mask goes over the payloads
   */
  public PayloadLog(Mask mask) {
    this.mask = mask;
  }

  /** What is about to be published. */
  public void published(byte[] envelope) {
    write("to Kafka", envelope);
  }

  /** What came as a command. */
  public void received(byte[] command) {
    write("from Kafka", command);
  }

  private void write(String way, byte[] json) {
    if (LOG.isDebugEnabled()) {
      LOG.debug(
          "{}: {}",
          way,
          json == null ? "nothing" : mask.text(new String(json, StandardCharsets.UTF_8)));
    }
  }
}
