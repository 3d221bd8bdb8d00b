// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.app.RoutesUnderTest;
import io.retel.ariproxy.ari.http.TlsNotEstablishedException;
import io.retel.ariproxy.fixtures.proxy.Response;
import io.retel.ariproxy.metrics.Meters;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A failed command gets one RESPONSE and is committed once. */
class FailedCommandsTest {

  private static final String HANGUP =
      "{'callContext':'call','commandId':'id','ariCommand':{'method':'DELETE',"
          + "'url':'/ari/channels/c'}}";

  @AutoClose private static RoutesUnderTest routes;

  private int completed;
  private int lostResponses;

  @BeforeAll
  static void start() throws Exception {
    routes = RoutesUnderTest.start();
  }

  @BeforeEach
  void reset() {
    routes.reset();
    completed = routes.counterValue(Meters.COMMANDS_COMPLETED);
    lostResponses = routes.counterValue(Meters.RESPONSES_LOST);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "no JSON",
        "{}",
        "{'ariCommand':{'method':'HEAD','url':'/x'}}",
        "{'ariCommand':{'method':'GET','url':'http://host/x'}}",
        "{'ariCommand':{'method':'GET','url':'/channels/{{ari.password}}'}}"
      })
  void invalidCommandYields400(String record) throws Exception {
    Response response = responseTo(record);
    response.assertStatus(400);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(response.message()).isNotBlank();
    assertThat(routes.ari().getReceivedExchanges()).isEmpty();
  }

  @Test
  void malformedRecordResponseUsesRecordKey() throws Exception {
    assertThat(responseTo("no JSON").callContext()).isNull();
    assertThat(key()).isEqualTo("the record's key");
  }

  static List<Exception> connectFailures() {
    return List.of(
        new ConnectException("Connection refused"),
        new UnknownHostException("pbx"),
        new NoRouteToHostException("No route to host"),
        new ConnectTimeoutException("Connect timed out"),
        new ConnectionRequestTimeoutException("Timeout"),
        new TlsNotEstablishedException(
            new SSLHandshakeException("unable to find valid certification path")),
        new TlsNotEstablishedException(
            new SSLPeerUnverifiedException("Certificate doesn't match")));
  }

  @ParameterizedTest
  @MethodSource("connectFailures")
  void retriesWhenAsteriskIsUnreachable(Exception failure) throws Exception {
    routes.ari().whenExchangeReceived(1, exchange -> exchange.setException(failure));
    routes.ari().whenExchangeReceived(2, exchange -> RoutesUnderTest.respond(exchange, 204, ""));
    Response response = responseTo(HANGUP);
    assertThat(response.record().json().get("payload")).hasToString("{\"status_code\":204}");
    assertThat(routes.ari().getReceivedExchanges()).hasSize(2);
  }

  @Test
  void unreachableAsteriskYields503() throws Exception {
    routes
        .ari()
        .whenAnyExchangeReceived(
            exchange -> exchange.setException(new ConnectException("Connection refused")));
    Response response = responseTo(HANGUP);
    response.assertStatus(503);
    assertThat(response.outcome()).isEqualTo("not_sent");
    assertThat(routes.ari().getReceivedExchanges()).hasSize(4);
    assertThat(key()).isEqualTo("call");
  }

  static Stream<Exception> failuresAfterSend() {
    return Stream.of(
        new SocketTimeoutException("Read timed out"),
        new SocketException("Connection reset"),
        new NoHttpResponseException("failed to respond"),
        new ConnectionClosedException("Premature end"),
        new SSLException("closed"),
        new SSLHandshakeException("Received fatal alert: certificate_required"),
        new IOException("broken"),
        new IllegalStateException());
  }

  @ParameterizedTest
  @MethodSource("failuresAfterSend")
  void missingResponseYields504WithoutRetry(Exception failure) throws Exception {
    routes.ari().whenAnyExchangeReceived(exchange -> exchange.setException(failure));
    Response response = responseTo(HANGUP);
    response.assertStatus(504);
    assertThat(response.outcome()).isEqualTo("unknown");
    assertThat(response.commandId()).isEqualTo("id");
    assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
    assertThat(key()).isEqualTo("call");
  }

  @Test
  void oversizedResponseYields413() throws Exception {
    routes
        .ari()
        .whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 200, "{\"id\":1}"));
    routes
        .mappedTopic()
        .whenExchangeReceived(
            1,
            exchange -> {
              throw new RecordTooLargeException("too large");
            });
    routes.sendCommand(HANGUP);
    routes.awaitResponse();

    assertThat(routes.responses()).hasSize(2);
    Response response = routes.responses().get(1);
    response.assertStatus(413);
    assertThat(response.outcome()).isEqualTo("answered");
    assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
    assertThat(routes.counterValue(Meters.COMMANDS_COMPLETED)).isEqualTo(completed + 1);
  }

  @Test
  void countsAndCommitsLostResponse() throws Exception {
    routes.ari().whenAnyExchangeReceived(exchange -> RoutesUnderTest.respond(exchange, 204, ""));
    routes
        .mappedTopic()
        .whenAnyExchangeReceived(
            exchange -> {
              throw new TopicAuthorizationException("not allowed");
            });
    routes.sendCommand(HANGUP);
    routes.awaitResponse();

    assertThat(routes.counterValue(Meters.RESPONSES_LOST)).isEqualTo(lostResponses + 1);
    assertThat(routes.counterValue(Meters.COMMANDS_COMPLETED)).isEqualTo(completed);
    assertThat(routes.ari().getReceivedExchanges()).hasSize(1);
  }

  private Response responseTo(String record) {
    routes.sendCommand(record);
    routes.awaitResponse();
    assertThat(routes.counterValue(Meters.COMMANDS_COMPLETED)).isEqualTo(completed + 1);
    return routes.response();
  }

  private Object key() {
    return routes
        .mappedTopic()
        .getReceivedExchanges()
        .get(0)
        .getMessage()
        .getHeader(KafkaConstants.KEY);
  }
}
