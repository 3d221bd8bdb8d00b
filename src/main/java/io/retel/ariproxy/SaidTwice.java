package io.retel.ariproxy;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.event.CountLost;
import io.retel.ariproxy.kafka.KafkaTopics;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.camel.impl.engine.AbstractCamelContext;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.KafkaException;

/**
 * Keeps out of the log what has been said already, so that nothing else drowns in it. Named in
 * {@code logback.xml}, as a filter of the appender.
 *
 * <ul>
 *   <li>While a broker is away, or refuses the login, each of Kafka's clients says so several times
 *       a second: once a minute is enough, for all clients of a kind.
 *   <li>What Kafka answers to {@link KafkaTopics} is said by {@link Preparation}; Kafka's client
 *       says it with its stack trace, every time.
 *   <li>An event that Kafka does not take is said by {@link CountLost}; Camel says it with its
 *       stack trace, thousands of times in a stop without Kafka.
 *   <li>A start that fails is said by {@link AriProxy}, in a line; Camel says it with its stack
 *       trace.
 * </ul>
 */
public final class SaidTwice extends Filter<ILoggingEvent> {

  /** Whose exceptions Camel logs under its name. */
  private static final String AHC_WS_CONSUMER = "io.retel.ariproxy.component.ahcws.AhcWsConsumer";

  /** Of Kafka's client that asks for topics; its class is no public one. */
  private static final String ADMIN =
      "org.apache.kafka.clients.admin.internals.AdminMetadataManager";

  private static final Pattern NUMBER_OF_CLIENT = Pattern.compile("-\\d+(?=\\])");

  private static final long INTERVAL = TimeUnit.MINUTES.toNanos(1);

  /**
   * By format, which has the client's name, without that one's number: as many as kinds of clients
   * times things to say.
   */
  private final Map<String, Long> said = new ConcurrentHashMap<>();

  @Override
  public FilterReply decide(ILoggingEvent line) {
    String logger = line.getLoggerName();
    if (logger.equals(NetworkClient.class.getName())) {
      return saidLately(line.getMessage()) ? FilterReply.DENY : FilterReply.NEUTRAL;
    }
    if (logger.equals(ADMIN) && line.getThrowableProxy() != null) {
      return FilterReply.DENY;
    }
    if (logger.equals(AHC_WS_CONSUMER) && isKafkas(line.getThrowableProxy())) {
      return FilterReply.DENY;
    }
    boolean failedStart =
        logger.equals(AbstractCamelContext.class.getName())
            && line.getMessage().startsWith("Error starting CamelContext");
    return failedStart ? FilterReply.DENY : FilterReply.NEUTRAL;
  }

  private static boolean isKafkas(IThrowableProxy thrown) {
    return thrown instanceof ThrowableProxy proxy && proxy.getThrowable() instanceof KafkaException;
  }

  private boolean saidLately(String format) {
    String what = NUMBER_OF_CLIENT.matcher(format).replaceFirst("");
    long now = System.nanoTime();
    Long last = said.get(what);
    if (last != null && now - last < INTERVAL) {
      return true;
    }
    said.put(what, now);
    return false;
  }
}
