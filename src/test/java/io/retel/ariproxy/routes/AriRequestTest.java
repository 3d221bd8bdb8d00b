// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.fixtures.Closer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.apache.camel.component.kafka.KafkaConstants;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The HTTP request of a command, and the RESPONSE for the HTTP response. */
class AriRequestTest {

  private record Request(String line, Map<String, List<String>> headers, String body) {}

  private record Response(int status, String contentType, byte[] body) {}

  private static final List<Request> requests = new CopyOnWriteArrayList<>();
  private static volatile Response asteriskResponse;
  @AutoClose private static final Closer CLOSER = new Closer();
  private static HttpServer asterisk;
  private static RoutesUnderTest routes;

  @BeforeAll
  static void start() throws Exception {
    asterisk = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    asterisk.createContext("/", AriRequestTest::handle);
    asterisk.start();
    CLOSER.register(() -> asterisk.stop(0));
    routes = CLOSER.register(RoutesUnderTest.startWithAsterisk(asterisk.getAddress().getPort()));
  }

  @BeforeEach
  void reset() {
    routes.reset();
    requests.clear();
    asteriskResponse = new Response(204, null, new byte[0]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET | /channels | GET /ari/channels",
        "GET | /ari/channels | GET /ari/channels",
        "DELETE | /channels/c?reason=normal | DELETE /ari/channels/c?reason=normal",
        "PUT | /deviceStates/Stasis:d?deviceState=BUSY | PUT /ari/deviceStates/Stasis:d?deviceState=BUSY",
        "POST | /bridges/b?type=mixing,dtmf_events | POST /ari/bridges/b?type=mixing,dtmf_events",
        "GET | /recordings/live/dir%2Fsub1 | GET /ari/recordings/live/dir%2Fsub1",
        "GET | /channels/%7B%7Bari.password%7D%7D | GET /ari/channels/%7B%7Bari.password%7D%7D",
        "GET | /channels/a%20b+c@d;e:f | GET /ari/channels/a%20b+c@d;e:f",
        "GET | /x?q=a+b%20c%26&q=d&&e= | GET /ari/x?q=a+b%20c%26&q=d&&e=",
        "GET | /x?u=http://h/../y?z&@=RAW(1) | GET /ari/x?u=http://h/../y?z&@=RAW(1)",
        "GET | /x?v=%7B%7Bari.password%7D%7D%24%7Bbody%7D | GET /ari/x?v=%7B%7Bari.password%7D%7D%24%7Bbody%7D",
        "GET | /x?v=%0d%0aHost:+evil | GET /ari/x?v=%0d%0aHost:+evil"
      })
  void matchesCommandByteForByte(String method, String url, String line) {
    routes.sendCommand("{'ariCommand':{'method':'" + method + "','url':'" + url + "'}}");
    assertThat(request().line()).isEqualTo(line);
    assertThat(request().body()).isEmpty();
    assertThat(request().headers()).doesNotContainKey("Content-type");
  }

  @ParameterizedTest
  @ValueSource(strings = {"POST", "PUT", "DELETE", "GET"})
  void sendsBodyAsJson(String method) {
    routes.sendCommand(
        "{'ariCommand':{'method':'" + method + "','url':'/x','body':{'name':'Zoë','n':1}}}");
    assertThat(request().line()).isEqualTo(method + " /ari/x");
    assertThat(request().body()).isEqualTo("{\"name\":\"Zoë\",\"n\":1}");
    assertThat(request().headers()).containsEntry("Content-type", List.of("application/json"));
  }

  @Test
  void dropsRecordHeaders() {
    Map<String, Object> hostile = new HashMap<>();
    hostile.put("CamelHttpUri", "http://evil.example/");
    hostile.put("CamelHttpPath", "/evil");
    hostile.put("CamelHttpQuery", "evil=1");
    hostile.put("CamelHttpRawQuery", "evil=1");
    hostile.put("CamelHttpMethod", "DELETE");
    hostile.put("CamelHttpHost", "evil.example");
    hostile.put("CamelHttpPort", "1");
    hostile.put("kafka.OVERRIDE_TOPIC", "evil");
    hostile.put(KafkaConstants.OVERRIDE_TOPIC, "evil");
    hostile.put("Host", "evil.example");
    hostile.put("Authorization", "Basic evil");
    hostile.put("Proxy-Authorization", "Basic evil");
    hostile.put("Content-Type", "text/evil");
    hostile.put("Content-Encoding", "gzip");
    hostile.put("Transfer-Encoding", "chunked");
    hostile.put("Connection", "close");
    hostile.put("Cookie", "evil=1");
    hostile.put("X-Evil", "1");
    hostile.put("Authorization-Bytes", "evil".getBytes(StandardCharsets.UTF_8));
    routes.sendCommand(
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/x','body':{}}}", hostile);

    Request request = request();
    assertThat(request.line()).isEqualTo("POST /ari/x");
    Set<String> names =
        request.headers().keySet().stream()
            .map(name -> name.toLowerCase(Locale.ROOT))
            .collect(Collectors.toSet());
    assertThat(names)
        .isSubsetOf(
            "host", "authorization", "content-type", "content-length", "user-agent", "connection");
    assertThat(request.headers())
        .containsEntry("Host", List.of("localhost:" + asterisk.getAddress().getPort()))
        .containsEntry("Content-type", List.of("application/json"))
        // user:password
        .containsEntry("Authorization", List.of("Basic dXNlcjpwYXNzd29yZA=="));
    assertThat(request.headers().toString()).doesNotContain("evil");
    assertThat(routes.mappedTopic().getReceivedExchanges().get(0).getMessage().getHeaders())
        .containsOnly(Map.entry(KafkaConstants.KEY, "call"));
  }

  @Test
  void requestAndResponseContainGeneratedId() throws Exception {
    routes.sendCommand("{'ariCommand':{'method':'POST','url':'/ari/channels?app=a'}}");
    String id = request().line().replace("POST /ari/channels?app=a&channelId=", "");
    assertThat(id).hasSize(36);
    JsonNode response = response();
    assertThat(response.at("/resources/0/id").textValue()).isEqualTo(id);
    assertThat(response.at("/commandRequest/url").textValue()).isEqualTo("/ari/channels?app=a");
  }

  @Test
  void registersCreatedResourcesBeforeResponse() throws Exception {
    routes.sendCommand(
        "{'callContext':'call','ariCommand':{'method':'POST','url':'/channels?channelId=c&endpoint=Local/x'}}");
    request();
    for (String id : List.of("c", "c;2")) {
      routes.sendEvent("{\"type\":\"ChannelDialplan\",\"channel\":{\"id\":\"" + id + "\"}}");
    }
    assertThat(routes.unmappedTopic().getReceivedExchanges()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 404, 409, 500, 503})
  void responsePassesStatusAndJson(int status) throws Exception {
    asteriskResponse = new Response(status, "application/json", bytes("{ \"message\" : \"é\" }"));
    routes.sendCommand("{'callContext':'call','ariCommand':{'method':'POST','url':'/x'}}");
    assertThat(responseText())
        .endsWith("\"payload\":{\"status_code\":" + status + ",\"body\":{ \"message\" : \"é\" }}}");
    assertThat(requests).hasSize(1);
  }

  @Test
  void emptyBodyYieldsStatusOnly() throws Exception {
    routes.sendCommand("{'callContext':'call','ariCommand':{'method':'POST','url':'/x'}}");
    assertThat(responseText()).endsWith("\"payload\":{\"status_code\":204}}");
  }

  @Test
  void encodesFileAsBase64() throws Exception {
    asteriskResponse = new Response(200, "audio/wav", bytes("RIFF"));
    routes.sendCommand("{'ariCommand':{'method':'GET','url':'/recordings/stored/r/file'}}");
    assertThat(responseText())
        .endsWith(
            "\"payload\":{\"status_code\":200,\"body\":"
                + "{\"content_type\":\"audio/wav\",\"base64\":\"UklGRg==\"}}}");
  }

  /** Camel drops or deserializes serialized objects. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/x-java-serialized-object",
        "application/x-java-serialized-object;",
        "Application/X-Java-Serialized-Object",
        "application/xml",
        "text/plain; charset=no-charset",
        "no type"
      })
  void encodesAnyTypeAsBase64(String contentType) throws Exception {
    asteriskResponse = new Response(200, contentType, bytes("RIFF"));
    routes.sendCommand("{'ariCommand':{'method':'GET','url':'/recordings/stored/r/file'}}");
    assertThat(responseText())
        .contains("\"payload\":{\"status_code\":200,\"body\":{\"content_type\":\"" + contentType)
        .endsWith("\"base64\":\"UklGRg==\"}}}");
  }

  @ParameterizedTest
  @CsvSource({"1024, 200", "1025, 413"})
  void oversizedResponseBodyYields413(int size, int status) throws Exception {
    asteriskResponse = new Response(200, "audio/wav", new byte[size]);
    routes.sendCommand("{'ariCommand':{'method':'GET','url':'/recordings/stored/r/file'}}");
    assertThat(response().at("/payload/status_code").intValue()).isEqualTo(status);
  }

  /** Stream caching would read a file of any size into the heap. */
  @Test
  void executeCommandRouteDisablesStreamCaching() {
    assertThat(routes.context().getRoute("execute-command").isStreamCaching()).isFalse();
  }

  @Test
  void passesRedirectWithoutFollowingIt() throws Exception {
    asteriskResponse = new Response(302, "text/html", bytes("<a/>"));
    routes.sendCommand("{'ariCommand':{'method':'GET','url':'/x'}}");
    assertThat(response().at("/payload/status_code").intValue()).isEqualTo(302);
    assertThat(requests).hasSize(1);
  }

  private static void handle(HttpExchange exchange) throws IOException {
    if (exchange.getRequestURI().getPath().equals("/ari/asterisk/ping")) {
      // of a new connection
      exchange.sendResponseHeaders(204, -1);
      exchange.close();
      return;
    }
    requests.add(
        new Request(
            exchange.getRequestMethod() + " " + exchange.getRequestURI(),
            Map.copyOf(exchange.getRequestHeaders()),
            new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
    if (asteriskResponse.contentType() != null) {
      exchange.getResponseHeaders().set("Content-Type", asteriskResponse.contentType());
    }
    if (asteriskResponse.status() == 302) {
      exchange.getResponseHeaders().set("Location", "/elsewhere");
    }
    exchange.sendResponseHeaders(
        asteriskResponse.status(),
        asteriskResponse.body().length == 0 ? -1 : asteriskResponse.body().length);
    exchange.getResponseBody().write(asteriskResponse.body());
    exchange.close();
  }

  private static Request request() {
    routes.awaitResponse();
    assertThat(requests).hasSize(1);
    return requests.get(0);
  }

  private static String responseText() {
    routes.awaitResponse();
    assertThat(routes.mappedTopic().getReceivedExchanges()).hasSize(1);
    Object body = routes.mappedTopic().getReceivedExchanges().get(0).getMessage().getBody();
    return new String((byte[]) body, StandardCharsets.UTF_8);
  }

  private static JsonNode response() throws IOException {
    return new ObjectMapper().readTree(responseText());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
