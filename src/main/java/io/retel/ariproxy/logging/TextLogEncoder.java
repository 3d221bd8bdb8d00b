// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;

/** Logback encoder of {@code logging.format = text}: a pattern, with escaped texts. */
public final class TextLogEncoder extends PatternLayoutEncoder {

  private boolean journal;

  /**
   * Whether lines begin with their level if stdout is systemd's journal; only for an appender to
   * stdout.
   */
  public void setJournal(boolean journal) {
    this.journal = journal;
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    byte[] lines = super.encode(new EscapedEvent(event));
    return journal ? JournalLevel.CURRENT.addTo(event, lines) : lines;
  }
}
