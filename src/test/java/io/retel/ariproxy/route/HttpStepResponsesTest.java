// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.RawHttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.platform.http.PlatformHttpEndpoint;
import org.apache.camel.http.base.HttpHeaderFilterStrategy;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.TryDefinition;
import org.apache.camel.spi.HeaderFilterStrategy;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the response of a called server does to the message of a route. */
class HttpStepResponsesTest {

  private static final byte[] ENVELOPE = "{\"é\":1}".getBytes(StandardCharsets.UTF_8);
  private static final String HEAD = "HTTP/1.1 200 OK\r\nConnection: close\r\n";

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private RawHttpServer server;

  @BeforeEach
  void start() {
    context.disableJMX();
    HttpStepLimits.install(context);
    ForeignHeaderFilter.install(context);
    context.start();
  }

  @AfterEach
  void stop() {
    stopped.countDown();
    server.close();
    context.stop();
  }

  /** A body that does not arrive, of a server that responds with a head. */
  private static Stream<Arguments> unusableBodies() {
    return Stream.of(
            "Content-Length: 400\r\n\r\ngold",
            "Content-Length: 400\r\n\r\ngold(silence)",
            "Transfer-Encoding: chunked\r\n\r\nzz\r\ngold\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n4\r\ngold\r\n",
            "Content-Length: 1048577\r\n\r\n" + "x".repeat((1 << 20) + 1))
        .flatMap(
            response ->
                Stream.of("", "&disableStreamCache=true", "&ignoreResponseBody=true", "&status=500")
                    .map(options -> Arguments.of(response, options)));
  }

  @ParameterizedTest(name = "{index} {1}")
  @MethodSource("unusableBodies")
  void unusableBodyIsErrorOfStepAndKeepsMessage(String response, String options) throws Exception {
    boolean failing = options.contains("500");
    serve((failing ? HEAD.replace("200 OK", "500 No") : HEAD) + response);
    for (String result : new String[] {"", "customer"}) {
      Exchange exchange = request(failing ? "" : options, result);
      assertThat(exchange.getException()).isNull();
      assertThat(exchange.getProperty(Exchange.EXCEPTION_CAUGHT)).isInstanceOf(IOException.class);
      assertThat(exchange.getMessage().getBody()).isSameAs(ENVELOPE);
      assertThat(exchange.getMessage().getHeaders())
          .isEqualTo(Map.of("kafka.KEY", "call", "caught", "yes"));
    }
  }

  @Test
  void bodyCanBeReadMoreThanOnce() throws Exception {
    serve(HEAD + "Transfer-Encoding: chunked\r\n\r\n4\r\ngold\r\n0\r\n\r\n");
    Exchange exchange = request("", "");
    assertThat(exchange.getMessage().getBody(String.class)).isEqualTo("gold");
    assertThat(exchange.getMessage().getBody(String.class)).isEqualTo("gold");
  }

  /** Kafka's component takes the topic and the key of a later step from them. */
  @ParameterizedTest
  @ValueSource(strings = {"", "&copyHeaders=false"})
  void headersOfResponseAreNoOptions(String options) throws Exception {
    serve(
        HEAD
            + "kafka.OVERRIDE_TOPIC: commands\r\nKAFKA.key: other\r\nKafka.Partition_Key: 1\r\n"
            + "CAMELHttpUri: http://other\r\ncamelCaffeineKey: other\r\nOrg.Apache.Camel.x: y\r\n"
            + "x-customer: gold\r\nContent-Length: 0\r\n\r\n");
    Map<String, Object> headers = request(options, "").getMessage().getHeaders();
    assertThat(headers)
        .containsEntry("x-customer", "gold")
        .doesNotContainKeys(
            "kafka.OVERRIDE_TOPIC", "kafka.PARTITION_KEY", "CamelHttpUri", "CamelCaffeineKey");
    assertThat(headers.keySet())
        .noneMatch(it -> it.toLowerCase(Locale.ROOT).startsWith("org.apache"));
    assertThat(headers.get("kafka.KEY")).isEqualTo(options.isEmpty() ? "call" : null);
  }

  /** A parameter of a request can contain any character: the first is the kelvin sign. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u212Aafka.KEY",
        "kafka.OVERRIDE_TOPIC",
        "KAFKA.x",
        "kafka_DOT_KEY",
        "CaMeLHttpUri"
      })
  void clientsOfRoutesSendNoOptions(String name) {
    serve("");
    HeaderFilterStrategy filter =
        context
            .getEndpoint("platform-http:/calls", PlatformHttpEndpoint.class)
            .getHeaderFilterStrategy();
    Exchange exchange = context.getEndpoint("direct:x").createExchange();
    assertThat(filter.applyFilterToExternalHeaders(name, "x", exchange)).isTrue();
    assertThat(filter.applyFilterToExternalHeaders("x", "x", exchange)).isFalse();
  }

  /** The recipe for a customer sends the key. */
  @Test
  void headersOfMessageAreSent() {
    serve("");
    Exchange exchange = context.getEndpoint("direct:x").createExchange();
    assertThat(
            context
                .getComponent("http", HttpComponent.class)
                .getHeaderFilterStrategy()
                .applyFilterToCamelHeaders("kafka.KEY", "call", exchange))
        .isFalse();
  }

  @Test
  void endpointCanHaveItsOwnFilter() throws Exception {
    context.getRegistry().bind("own", new HttpHeaderFilterStrategy());
    serve(HEAD + "kafka.OVERRIDE_TOPIC: other\r\nContent-Length: 0\r\n\r\n");
    assertThat(request("&headerFilterStrategy=#own", "").getMessage().getHeaders())
        .containsEntry("kafka.OVERRIDE_TOPIC", "other");
  }

  /** Camel decodes all later bytes of the exchange with the charset of the last response. */
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "text/plain; charset=UTF-16, UTF-16, grün",
        "text/plain; charset=\"iso-8859-1\", ISO-8859-1, grün",
        "text/plain; x=y; Charset=windows-1252; z=1, windows-1252, grün",
        "application/json;charset=utf-16le, UTF-16LE, grün",
        "application/problem+json;charset=utf-16le, UTF-16LE, grün",
        "text/plain; charset=utf-8, UTF-8, grün",
        "text/plain, UTF-8, grün",
        "text/plain; charset=x-nope, UTF-8, grün",
        "text/plain; charset=, UTF-8, grün",
        "text/plain; charset=UTF-16; charset=UTF-8, UTF-8, grün",
        "charset=UTF-16, UTF-8, grün",
        "text/plain charset=UTF-16, UTF-8, grün",
        "image/png; charset=UTF-16, UTF-8, grün",
        "text/xml; charset=UTF-16, UTF-8, grün"
      })
  void charsetOfResponseEndsWithItsBody(String type, Charset charset, String text)
      throws Exception {
    byte[] body = text.getBytes(charset);
    serve(
        HEAD
            + "Content-Type: "
            + type
            + "\r\nContent-Length: "
            + body.length
            + "\r\n\r\n"
            + new String(body, StandardCharsets.ISO_8859_1));
    for (String result : new String[] {"", "customer"}) {
      Exchange exchange = request("", result);
      Object answer =
          result.isEmpty() ? exchange.getMessage().getBody() : exchange.getVariable(result);
      assertThat(context.getTypeConverter().convertTo(String.class, exchange, answer))
          .isEqualTo(text);
      exchange.getMessage().setBody(ENVELOPE);
      assertThat(exchange.getMessage().getBody(String.class)).isEqualTo("{\"é\":1}");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"204 No Content", "200 OK"})
  void charsetOfResponseWithoutBodyIsDropped(String status) throws Exception {
    serve(
        "HTTP/1.1 "
            + status
            + "\r\nContent-Type: text/plain\r\nContent-Type: a;charset=x-nope\r\nContent-Length: 0\r\n\r\n");
    Exchange exchange = request("", "customer");
    assertThat(exchange.getMessage().getBody(String.class)).isEqualTo("{\"é\":1}");
  }

  private void serve(String response) {
    server =
        RawHttpServer.start(
            (request, out) -> {
              write(out, response.replace("(silence)", ""));
              if (response.contains("(silence)")) {
                stopped.await();
              }
              throw new IOException("close");
            });
  }

  private static void write(OutputStream out, String text) throws IOException {
    out.write(RawHttpServer.bytes(text));
    out.flush();
  }

  /**
   * Sends a request in a {@code doTry}.
   *
   * @param result the variable for the result, or empty for the message
   */
  private Exchange request(String options, String result) throws Exception {
    String url =
        "http://127.0.0.1:"
            + server.port()
            + "/?httpMethod=GET&httpClient.connectTimeout=5000&httpClient.responseTimeout=300"
            + options;
    String start = "direct:start" + context.getRoutesSize();
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            TryDefinition step = from(start).streamCache("false").doTry();
            if (result.isEmpty()) {
              step.to(url);
            } else {
              step.toV(url, null, result);
            }
            step.doCatch(Exception.class).setHeader("caught", constant("yes")).end();
          }
        });
    return context
        .createFluentProducerTemplate()
        .to(start)
        .withHeader("kafka.KEY", "call")
        .withBody(ENVELOPE)
        .request(Exchange.class);
  }
}
