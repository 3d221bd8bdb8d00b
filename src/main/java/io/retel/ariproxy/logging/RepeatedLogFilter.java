// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxy;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentMap;
import java.util.regex.Pattern;
import org.apache.camel.impl.engine.AbstractCamelContext;
import org.apache.camel.impl.engine.DefaultInflightRepository;
import org.apache.camel.processor.errorhandler.DefaultErrorHandler;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.KafkaException;

/**
 * Logback filter that drops repeated and redundant lines. Named in {@code logback.xml}, as a filter
 * of the appender.
 *
 * <ul>
 *   <li>While a broker is unavailable or rejects the login, each Kafka client logs it several times
 *       a second: passes one line a minute for all clients of a kind.
 *   <li>The producer retries a rejected batch indefinitely and logs each attempt: passes one line a
 *       minute for each reason. {@code KafkaStallMonitor} reports that Kafka is unavailable.
 *   <li>A commit of offsets is repeated, and Kafka's consumer logs each failure: passes one line a
 *       minute for each reason.
 *   <li>{@code StartupGate} logs errors of {@code KafkaTopics}; Kafka's client logs each one with
 *       its stack trace.
 *   <li>{@code HandleLostEvent} logs an event that Kafka rejects; Camel logs it with its stack
 *       trace, thousands of times during a shutdown without Kafka.
 *   <li>{@code CommitOnResponse} responds to a command whose error handler a route edit has
 *       stopped, or logs that it does not; Camel logs the reason for the RESPONSE with its stack
 *       trace.
 *   <li>{@code ShutdownReport} logs whether commands and events are incomplete; Camel logs a number
 *       that also contains requests to the management port.
 *   <li>{@code AriProxy} logs a failed start in one line; Camel logs it with its stack trace.
 * </ul>
 */
public final class RepeatedLogFilter extends Filter<ILoggingEvent> {

  /** Logger under which Camel logs exceptions of the websocket consumer. */
  private static final String AHC_WS_CONSUMER_LOGGER =
      "io.retel.ariproxy.component.ahcws.AhcWsConsumer";

  /** The package of exceptions that determine the RESPONSE to a command. */
  private static final String COMMAND_EXCEPTIONS = "io.retel.ariproxy.command.";

  /** Logger of Kafka's admin client; an internal class. */
  private static final String ADMIN_METADATA_LOGGER =
      "org.apache.kafka.clients.admin.internals.AdminMetadataManager";

  /** Logger of Kafka's producer; an internal class. */
  private static final String PRODUCER_SENDER_LOGGER =
      "org.apache.kafka.clients.producer.internals.Sender";

  /** Logger of Kafka's consumer about its group; an internal class. */
  private static final String CONSUMER_GROUP_LOGGER =
      "org.apache.kafka.clients.consumer.internals.ConsumerCoordinator";

  private static final String COMMIT_FAILED = "Offset commit failed on partition";

  /** Kafka's error name for a missing response. */
  private static final String NETWORK_EXCEPTION = "Error: NETWORK_EXCEPTION";

  /** What follows is a text of the broker, which can be another one each time. */
  private static final Pattern TEXT_OF_BROKER =
      Pattern.compile("(Error Message: |due to(?: [\\w.$]+)?: ).*", Pattern.DOTALL);

  private static final Pattern NUMBER = Pattern.compile("-?\\d+");

  private static final int MAX_REASON_LENGTH = 300;

  /** Reasons of the last minute: client kinds times messages, topics times reasons. */
  private final ConcurrentMap<String, Boolean> logged =
      Caffeine.newBuilder()
          .executor(Runnable::run)
          .expireAfterWrite(Duration.ofMinutes(1))
          .maximumSize(1_000)
          .<String, Boolean>build()
          .asMap();

  @Override
  public FilterReply decide(ILoggingEvent event) {
    String logger = event.getLoggerName();
    if (logger.equals(NetworkClient.class.getName())) {
      return loggedRecently(withoutDetails(event)) ? FilterReply.DENY : FilterReply.NEUTRAL;
    }
    if (logger.equals(PRODUCER_SENDER_LOGGER) && event.getThrowableProxy() == null) {
      return event.getFormattedMessage().contains(NETWORK_EXCEPTION)
              || loggedRecently(withoutDetails(event))
          ? FilterReply.DENY
          : FilterReply.NEUTRAL;
    }
    if (logger.equals(CONSUMER_GROUP_LOGGER) && event.getMessage().contains(COMMIT_FAILED)) {
      return loggedRecently(withoutDetails(event)) ? FilterReply.DENY : FilterReply.NEUTRAL;
    }
    if (logger.equals(ADMIN_METADATA_LOGGER) && event.getThrowableProxy() != null) {
      return FilterReply.DENY;
    }
    if (logger.equals(AHC_WS_CONSUMER_LOGGER) && isKafkaException(event.getThrowableProxy())) {
      return FilterReply.DENY;
    }
    if (logger.equals(DefaultErrorHandler.class.getName())
        && event.getThrowableProxy() != null
        && event.getThrowableProxy().getClassName().startsWith(COMMAND_EXCEPTIONS)) {
      return FilterReply.DENY;
    }
    if (logger.equals(DefaultInflightRepository.class.getName())) {
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

  /** Returns the reasons of the last minute, with those that are about to be removed. */
  Set<String> reasons() {
    return logged.keySet();
  }

  private boolean loggedRecently(String reason) {
    return logged.putIfAbsent(reason, true) != null;
  }

  /**
   * Returns the line without what differs each time. Kafka's client passes a finished text: with
   * the numbers of the client, of the request and of the port.
   */
  private static String withoutDetails(ILoggingEvent event) {
    String line = TEXT_OF_BROKER.matcher(event.getFormattedMessage()).replaceFirst("$1");
    String reason = NUMBER.matcher(line).replaceAll("");
    return reason.length() > MAX_REASON_LENGTH ? reason.substring(0, MAX_REASON_LENGTH) : reason;
  }
}
