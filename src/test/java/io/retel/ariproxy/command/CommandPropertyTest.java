// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.callcontext.CallContexts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.apache.camel.Exchange;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Routes read the fields of accepted and rejected commands (docs/routes.md#exchange-properties).
 */
class CommandPropertyTest {

  private static final RecordPosition ORIGIN =
      new RecordPosition("commands", 3, 42, "key", Instant.EPOCH);

  @AutoClose private final DefaultCamelContext context = new DefaultCamelContext();

  private final CommandParser parser =
      new CommandParser(
          new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));

  @ParameterizedTest
  @CsvSource({
    "callContext, call",
    "commandId, 7",
    "method, GET",
    "origin.topic, commands",
    "origin.partition, 3",
    "origin.offset, 42"
  })
  void routesReadFieldsOfEitherKind(String field, String value) {
    assertThat(read(field, parse("/channels/c"))).isEqualTo(value);
    assertThat(read(field, parse("/../x"))).isEqualTo(value);
  }

  @ParameterizedTest
  @CsvSource({"/channels/c, true", "/../x, false"})
  void routesReadUrlOfEitherKind(String url, boolean accepted) {
    Command command = parse(url);
    assertThat(command instanceof Command.Accepted).isEqualTo(accepted);
    assertThat(read("url", command)).isEqualTo(url);
  }

  private String read(String field, Command command) {
    context.start();
    Exchange exchange = new DefaultExchange(context);
    exchange.setProperty(CommandProperties.COMMAND, command);
    return context
        .resolveLanguage("simple")
        .createExpression("${exchangeProperty.command." + field + "}")
        .evaluate(exchange, String.class);
  }

  private Command parse(String url) {
    return parser.parse(
        ORIGIN,
        "{\"callContext\":\"call\",\"commandId\":7,\"ariCommand\":{\"method\":\"GET\",\"url\":\"%s\"}}"
            .formatted(url)
            .getBytes(StandardCharsets.UTF_8));
  }
}
