package io.retel.ariproxy.component.ahcws;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.slf4j.LoggerFactory;

/** What is logged while it is open. */
final class CapturedLog implements AutoCloseable {

  /** DEBUG for all, with the levels that the product's logback.xml fixes. */
  private static final Map<String, Level> AT_DEBUG =
      Map.of(
          Logger.ROOT_LOGGER_NAME,
          Level.DEBUG,
          "io.retel.ariproxy",
          Level.DEBUG,
          "org.apache.camel",
          Level.DEBUG,
          "org.asynchttpclient",
          Level.ERROR);

  private final LoggerContext loggers = (LoggerContext) LoggerFactory.getILoggerFactory();
  private final Logger root = loggers.getLogger(Logger.ROOT_LOGGER_NAME);
  private final ListAppender<ILoggingEvent> appender = new ListAppender<>();
  private final Deque<Runnable> restoration = new ArrayDeque<>();

  CapturedLog() {
    appender.start();
    root.addAppender(appender);
  }

  /** One that captures DEBUG, too; nothing goes to the console meanwhile. */
  static CapturedLog atDebug() {
    CapturedLog log = new CapturedLog();
    log.root
        .iteratorForAppenders()
        .forEachRemaining(
            other -> {
              if (other != log.appender) {
                log.restoration.push(() -> log.root.addAppender(other));
              }
            });
    log.root.detachAppender("console");
    AT_DEBUG.forEach(
        (name, level) -> {
          Logger logger = log.loggers.getLogger(name);
          Level before = logger.getLevel();
          log.restoration.push(() -> logger.setLevel(before));
          logger.setLevel(level);
        });
    return log;
  }

  List<ILoggingEvent> events() {
    synchronized (appender) {
      return List.copyOf(appender.list);
    }
  }

  List<String> lines(Level level) {
    return events().stream()
        .filter(event -> event.getLevel() == level)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  @Override
  public void close() {
    restoration.forEach(Runnable::run);
    root.detachAppender(appender);
    appender.stop();
  }
}
