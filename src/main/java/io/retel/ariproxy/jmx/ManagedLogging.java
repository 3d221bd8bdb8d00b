// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import io.retel.ariproxy.logging.LogLevels;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** MBean for log levels. Changes last until the proxy stops. */
@ManagedResource(description = "Log levels; changes last until the proxy stops")
public final class ManagedLogging {

  private static final Logger LOG = LoggerFactory.getLogger(ManagedLogging.class);

  private final LogLevels levels = new LogLevels();

  @ManagedOperation(
      description =
          "Returns the effective level of a logger, such as io.retel.ariproxy or ROOT: its own or an"
              + " inherited one")
  public String level(String logger) {
    return levels.get(logger);
  }

  @ManagedOperation(
      description =
          "Sets the level of a logger: ERROR, WARN, INFO, DEBUG or TRACE. Loggers below it inherit the level"
              + " unless they have their own. Loggers that would write passwords cannot be lowered")
  public void setLevel(String logger, String level) {
    String previous = levels.get(logger);
    levels.set(logger, level);
    LOG.info(
        "Log level of {} set to {} (was {}) by operator",
        logger.strip(),
        levels.get(logger),
        previous);
  }
}
