package io.retel.ariproxy.jmx;

import io.retel.ariproxy.logging.LogLevels;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The levels of the log, until the proxy ends. */
@ManagedResource(description = "The levels of the log, until the proxy ends")
public final class ManagedLogging {

  private static final Logger LOG = LoggerFactory.getLogger(ManagedLogging.class);

  private final LogLevels levels = new LogLevels();

  @ManagedOperation(
      description =
          "From which level on a logger writes, such as io.retel.ariproxy or ROOT, whether it is its own or that"
              + " of a logger above it")
  public String level(String logger) {
    return levels.get(logger);
  }

  @ManagedOperation(
      description =
          "Gives a logger a level: ERROR, WARN, INFO, DEBUG or TRACE. It counts for those below it that have none"
              + " of their own. Loggers that would write passwords are not lowered")
  public void setLevel(String logger, String level) {
    String previous = levels.get(logger);
    levels.set(logger, level);
    LOG.info(
        "Set by an operator: {} writes from {} on, before from {} on",
        logger.strip(),
        levels.get(logger),
        previous);
  }
}
