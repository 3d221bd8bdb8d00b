package io.retel.ariproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Cache;
import io.retel.ariproxy.Meters;
import io.retel.ariproxy.RoutesUnderTest;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.component.ahcws.AhcWsConstants;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a proxy learns of Asterisk's channels when its websocket is open. */
class ConnectedTest {

  /** As Asterisk 22.10.1 and 16.28.0 describe them. */
  private static final String CHANNELS =
      """
      [{"id":"given","creationtime":"2026-11-23T10:22:57.649+0000",
        "dialplan":{"app_name":"Stasis","app_data":"app"},"channelvars":{"CALL_CONTEXT":"mine"}},
       {"id":"none","creationtime":"2026-11-23T10:22:57.670+0000",
        "dialplan":{"app_name":"Stasis","app_data":"app,a,b"},"channelvars":{"CALL_CONTEXT":""}},
       {"id":"subscribed","creationtime":"2026-11-23T10:22:57.670+0000",
        "dialplan":{"app_name":"Wait","app_data":"20"},"channelvars":{"CALL_CONTEXT":""}},
       {"id":"theirs","creationtime":"2026-11-23T10:22:57.670+0000",
        "dialplan":{"app_name":"Stasis","app_data":"other"},"channelvars":{"CALL_CONTEXT":""}}]
      """;

  private static final String APPLICATIONS =
      """
      [{"name":"app","channel_ids":["given","none","subscribed"]},
       {"name":"other","channel_ids":["theirs"]}]
      """;

  private SimulatedAsterisk asterisk;
  private RoutesUnderTest routes;

  @BeforeEach
  void start() throws Exception {
    asterisk = SimulatedAsterisk.builder().user("user", "password").start();
    routes = RoutesUnderTest.startWithAsterisk(asterisk.port());
    answer("/asterisk/info", "{\"system\":{\"version\":\"22.10.1\",\"entity_id\":\"ast\"}}");
    answer("/applications", APPLICATIONS);
    answer("/channels", CHANNELS);
  }

  @AfterEach
  void stop() {
    routes.close();
    asterisk.close();
  }

  @Test
  void rule4ChannelsThatAreInTheApplicationAreGivenTheirCallContextsAtEveryConnect() {
    connection("CONNECTED");
    assertThat(mapping("given").callContext()).isEqualTo("mine");
    assertThat(mapping("none").callContext()).isEqualTo(callContextOfItsStasisStart());
    assertThat(mapping("subscribed")).isNull();
    assertThat(mapping("theirs")).isNull();
    assertThat(routes.count(Meters.CHANNELS_FOUND)).isEqualTo(2);

    connection("CONNECTED");
    assertThat(routes.count(Meters.CHANNELS_FOUND)).isEqualTo(2);
  }

  @Test
  void aChannelThatIsKnownStaysWhereItIs() {
    routes.fromAsterisk(
        "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"none\",\"channelvars\":{\"CALL_CONTEXT\":\"moved\"}}}");
    connection("CONNECTED");
    assertThat(mapping("none").callContext()).isEqualTo("moved");
  }

  @Test
  void nothingIsAskedWhenTheConnectionIsLost() {
    connection("DISCONNECTED");
    assertThat(asterisk.requests()).isEmpty();
    assertThat(mapping("given")).isNull();
  }

  @Test
  void whenAsteriskDoesNotTellItsChannelsThatIsCountedAndEventsGoOn() {
    asterisk.faults().clear();
    asterisk.faults().answer(request -> true, 403, "Forbidden");
    connection("CONNECTED");
    assertThat(routes.count(Meters.CHANNELS_NOT_TOLD)).isEqualTo(1);
    assertThat(asterisk.requests()).hasSize(4);

    routes.fromAsterisk("{\"type\":\"ChannelHold\",\"channel\":{\"id\":\"none\"}}");
    assertThat(routes.unmapped().getReceivedExchanges()).hasSize(1);
  }

  @Test
  void withoutTheRouteThatIsCountedAndNoEventIsLost() throws Exception {
    routes.context().getRouteController().stopRoute("connected");
    routes.context().removeRoute("connected");
    connection("CONNECTED");
    assertThat(routes.count(Meters.CHANNELS_NOT_TOLD)).isEqualTo(1);
    assertThat(routes.count(Meters.EVENTS_LOST)).isZero();
  }

  @Test
  void whenAsteriskHangsEventsWaitForOneAnswerOnly() {
    asterisk.faults().clear();
    asterisk.faults().hang(request -> true);
    connection("CONNECTED");
    assertThat(routes.count(Meters.CHANNELS_NOT_TOLD)).isEqualTo(1);
    assertThat(asterisk.requests()).hasSize(1);
  }

  @Test
  void aConnectIsNoEvent() {
    connection("CONNECTED");
    connection("DISCONNECTED");
    assertThat(routes.mapped().getReceivedExchanges()).isEmpty();
    assertThat(routes.unmapped().getReceivedExchanges()).isEmpty();
    assertThat(routes.count(Meters.EVENTS_UNREADABLE)).isZero();
  }

  /** A proxy that was there at its StasisStart has generated this one. */
  private String callContextOfItsStasisStart() {
    Mapping found = cache().asMap().remove("CHANNEL:none");
    routes.fromAsterisk(
        "{\"type\":\"StasisStart\",\"asterisk_id\":\"ast\",\"application\":\"app\",\"channel\":"
            + "{\"id\":\"none\",\"creationtime\":\"2026-11-23T10:22:57.670+0000\"}}");
    return cache().asMap().put("CHANNEL:none", found).callContext();
  }

  private void connection(String event) {
    routes
        .context()
        .createFluentProducerTemplate()
        .to("direct:asterisk")
        .withHeader(AhcWsConstants.EVENT, event)
        .request();
  }

  private void answer(String path, String json) {
    asterisk
        .faults()
        .answer(
            request -> request.uri().startsWith("/ari" + path),
            200,
            "application/json",
            json.getBytes(StandardCharsets.UTF_8));
  }

  private Mapping mapping(String channel) {
    return cache().getIfPresent("CHANNEL:" + channel);
  }

  @SuppressWarnings("unchecked")
  private Cache<String, Mapping> cache() {
    return (Cache<String, Mapping>) routes.context().getRegistry().lookupByName("callContexts");
  }
}
