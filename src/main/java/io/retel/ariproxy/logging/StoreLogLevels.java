// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggerContextListener;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.spi.LifeCycle;

/** Sets the log levels of every call-context store, unless {@code logback.xml} sets them. */
public final class StoreLogLevels extends ContextAwareBase
    implements LoggerContextListener, LifeCycle {

  private boolean started;

  @Override
  public void start() {
    LoggerContext loggers = (LoggerContext) getContext();
    LogLevels.ofStores()
        .forEach(
            (name, level) -> {
              Logger logger = loggers.getLogger(name);
              if (logger.getLevel() == null) {
                logger.setLevel(level);
              }
            });
    started = true;
  }

  @Override
  public void stop() {
    started = false;
  }

  @Override
  public boolean isStarted() {
    return started;
  }

  @Override
  public boolean isResetResistant() {
    return false;
  }

  @Override
  public void onStart(LoggerContext context) {
    // levels are set when the configuration is read
  }

  @Override
  public void onReset(LoggerContext context) {
    // the next configuration sets them again
  }

  @Override
  public void onStop(LoggerContext context) {
    // nothing to release
  }

  @Override
  public void onLevelChange(Logger logger, Level level) {
    // LogLevels checks changes
  }
}
