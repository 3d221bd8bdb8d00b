package io.retel.ariproxy.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaConstants;

/**
 * A call-controller: it answers every call, plays a greeting, which any key ends, and hangs up.
 *
 * <p>It keeps nothing in memory, so another instance of the group can go on with a call at any
 * event.
 */
public final class CallController extends RouteBuilder {

  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public void configure() {
    from("kafka:{{events-topic}}?brokers={{brokers}}&groupId=call-controller"
            + "&autoOffsetReset=earliest&pollTimeoutMs=100")
        .routeId("call-controller")
        .process(this::react)
        .split(body())
        .process(this::address)
        .to("kafka:any?brokers={{brokers}}");
  }

  /** From an envelope to the commands that answer it: none, one or several. */
  private void react(Exchange exchange) throws JsonProcessingException {
    JsonNode envelope = JSON.readTree(exchange.getMessage().getBody(String.class));
    JsonNode event = envelope.path("payload");
    String channel = event.at("/channel/id").asText();
    List<AriCommand> commands =
        switch (envelope.path("type").asText()) {
          case "STASIS_START" ->
              List.of(
                  new AriCommand("POST", "/channels/" + channel + "/answer"),
                  new AriCommand(
                      "POST",
                      "/channels/" + channel + "/play/greeting-" + channel + "?media=sound:hello"));
          case "CHANNEL_DTMF_RECEIVED" ->
              List.of(new AriCommand("DELETE", "/playbacks/greeting-" + channel));
          case "PLAYBACK_FINISHED" ->
              List.of(
                  new AriCommand(
                      "DELETE",
                      event.at("/playback/target_uri").asText().replace("channel:", "/channels/")));
          default -> List.of();
        };
    exchange.setProperty("callContext", envelope.path("callContext").asText());
    exchange.setProperty("commandsTopic", envelope.path("commandsTopic").asText());
    exchange.getMessage().setBody(commands);
  }

  /** A command goes to the proxy that the event came from, keyed by the call's context. */
  private void address(Exchange exchange) throws JsonProcessingException {
    String callContext = exchange.getProperty("callContext", String.class);
    Map<String, Object> command =
        Map.of(
            "callContext", callContext,
            "commandId", UUID.randomUUID().toString(),
            "ariCommand", exchange.getMessage().getBody(AriCommand.class));
    exchange.getMessage().setBody(JSON.writeValueAsString(command));
    exchange.getMessage().setHeader(KafkaConstants.KEY, callContext);
    exchange
        .getMessage()
        .setHeader(KafkaConstants.OVERRIDE_TOPIC, exchange.getProperty("commandsTopic"));
  }

  /** One request to ARI. */
  record AriCommand(String method, String url) {}
}
