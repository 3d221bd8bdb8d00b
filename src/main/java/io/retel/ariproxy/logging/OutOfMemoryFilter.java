// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.error.FatalErrors;

/**
 * Logback filter that exits after an OutOfMemoryError that a library has caught and logs. Named in
 * {@code logback.xml}, as the first filter of the appender.
 */
public final class OutOfMemoryFilter extends Filter<ILoggingEvent> {

  @Override
  public FilterReply decide(ILoggingEvent event) {
    if (event.getThrowableProxy() instanceof ThrowableProxy proxy) {
      FatalErrors.exitIfOutOfMemory(proxy.getThrowable());
    }
    return FilterReply.NEUTRAL;
  }
}
