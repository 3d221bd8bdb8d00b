package io.retel.ariproxy;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.kafka.KafkaStallMonitor;
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
 *   <li>A batch that Kafka does not take is tried for ever, and each try is told of: once a minute
 *       is enough for each reason, and that Kafka is away is said by {@link KafkaStallMonitor}.
 *   <li>What Kafka answers to {@link KafkaTopics} is said by {@link StartupGate}; Kafka's client
 *       says it with its stack trace, every time.
 *   <li>An event that Kafka does not take is said by {@link HandleLostEvent}; Camel says it with
 *       its stack trace, thousands of times in a stop without Kafka.
 *   <li>A start that fails is said by {@link AriProxy}, in a line; Camel says it with its stack
 *       trace.
 * </ul>
 */
public final class RepeatedLogFilter extends Filter<ILoggingEvent> {

  /** Whose exceptions Camel logs under its name. */
  private static final String AHC_WS_CONSUMER_LOGGER =
      "io.retel.ariproxy.component.ahcws.AhcWsConsumer";

  /** Of Kafka's client that asks for topics; its class is no public one. */
  private static final String ADMIN_METADATA_LOGGER =
      "org.apache.kafka.clients.admin.internals.AdminMetadataManager";

  /** Of Kafka's producer; its class is no public one. */
  private static final String PRODUCER_SENDER_LOGGER =
      "org.apache.kafka.clients.producer.internals.Sender";

  /** Kafka's name for an answer that has not come. */
  private static final String NETWORK_EXCEPTION = "Error: NETWORK_EXCEPTION";

  private static final Pattern NUMBER = Pattern.compile("\\d+");

  private static final Pattern CLIENT_NUMBER = Pattern.compile("-\\d+(?=\\])");

  private static final long INTERVAL = TimeUnit.MINUTES.toNanos(1);

  /** As many as kinds of clients times things to say, and as topics times reasons. */
  private final Map<String, Long> lastLogged = new ConcurrentHashMap<>();

  @Override
  public FilterReply decide(ILoggingEvent event) {
    String logger = event.getLoggerName();
    if (logger.equals(NetworkClient.class.getName())) {
      return loggedRecently(CLIENT_NUMBER.matcher(event.getMessage()).replaceFirst(""))
          ? FilterReply.DENY
          : FilterReply.NEUTRAL;
    }
    if (logger.equals(PRODUCER_SENDER_LOGGER) && event.getThrowableProxy() == null) {
      String message = event.getFormattedMessage();
      return message.contains(NETWORK_EXCEPTION)
              || loggedRecently(NUMBER.matcher(message).replaceAll(""))
          ? FilterReply.DENY
          : FilterReply.NEUTRAL;
    }
    if (logger.equals(ADMIN_METADATA_LOGGER) && event.getThrowableProxy() != null) {
      return FilterReply.DENY;
    }
    if (logger.equals(AHC_WS_CONSUMER_LOGGER) && isKafkaException(event.getThrowableProxy())) {
      return FilterReply.DENY;
    }
    boolean isStartFailure =
        logger.equals(AbstractCamelContext.class.getName())
            && event.getMessage().startsWith("Error starting CamelContext");
    return isStartFailure ? FilterReply.DENY : FilterReply.NEUTRAL;
  }

  private static boolean isKafkaException(IThrowableProxy throwable) {
    return throwable instanceof ThrowableProxy proxy
        && proxy.getThrowable() instanceof KafkaException;
  }

  private boolean loggedRecently(String key) {
    long now = System.nanoTime();
    Long last = lastLogged.get(key);
    if (last != null && now - last < INTERVAL) {
      return true;
    }
    lastLogged.put(key, now);
    return false;
  }
}
