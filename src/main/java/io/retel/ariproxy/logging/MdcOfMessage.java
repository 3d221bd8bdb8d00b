package io.retel.ariproxy.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.ari.Resource;
import org.apache.camel.Exchange;
import org.slf4j.MDC;
import org.slf4j.Marker;

/**
 * Puts into the MDC whose message a line is about, when the line is about to be written; out of it,
 * if it is about none. Named in {@code logback.xml}.
 *
 * <p>That way a message of which nothing is logged costs nothing here, and a line never has the
 * labels of a message that its thread has left.
 */
public final class MdcOfMessage extends TurboFilter {

  @Override
  public FilterReply decide(
      Marker marker,
      Logger logger,
      Level level,
      String format,
      Object[] arguments,
      Throwable thrown) {
    if (format != null && level.isGreaterOrEqual(logger.getEffectiveLevel())) {
      Exchange message = AtWork.message();
      put(AtWork.CALL_CONTEXT, message);
      put(AtWork.COMMAND_ID, message);
      put(AtWork.RESOURCE, message);
    }
    return FilterReply.NEUTRAL;
  }

  private static void put(String key, Exchange message) {
    Object value = message == null ? null : message.getProperty(key);
    if (value == null) {
      MDC.remove(key);
    } else {
      String text = value instanceof Resource resource ? Mask.key(resource) : value.toString();
      MDC.put(key, Shortened.text(text));
    }
  }
}
