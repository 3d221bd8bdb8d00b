// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaConstants;

/**
 * A call-controller that answers each call, plays a greeting that stops when a key is pressed, and
 * hangs up.
 *
 * <p>It is stateless, so another instance of its consumer group can handle the next event of a
 * call.
 */
public final class CallController extends RouteBuilder {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** A request to ARI. */
  record AriCommand(String method, String url) {}

  /** A command envelope; its RESPONSE repeats the id. */
  record Command(String callContext, String commandId, AriCommand ariCommand) {}

  @Override
  public void configure() {
    from("kafka:{{events-topic}}?brokers={{brokers}}&groupId=call-controller"
            + "&autoOffsetReset=earliest&pollTimeoutMs=100")
        .routeId("call-controller")
        .process(this::handleEvent)
        .split(body())
        .to("kafka:the-commands-topic-of-the-header?brokers={{brokers}}");
  }

  /** Turns an event into zero or more commands for the same call. */
  private void handleEvent(Exchange exchange) throws JsonProcessingException {
    Message message = exchange.getMessage();
    JsonNode envelope = JSON.readTree(message.getBody(String.class));
    String callContext = envelope.path("callContext").asText();
    List<String> commands = new ArrayList<>();
    for (AriCommand command :
        commandsFor(envelope.path("type").asText(), envelope.path("payload"))) {
      String commandId = UUID.randomUUID().toString();
      commands.add(JSON.writeValueAsString(new Command(callContext, commandId, command)));
    }
    message.setBody(commands);
    // the proxy that published the event; the key keeps the commands of a call in order
    message.setHeader(KafkaConstants.OVERRIDE_TOPIC, envelope.path("commandsTopic").asText());
    message.setHeader(KafkaConstants.KEY, callContext);
  }

  private static List<AriCommand> commandsFor(String type, JsonNode event) {
    String channel = event.at("/channel/id").asText();
    String greeting = "greeting-" + channel;
    return switch (type) {
      case "STASIS_START" ->
          List.of(
              new AriCommand("POST", "/channels/" + channel + "/answer"),
              new AriCommand(
                  "POST", "/channels/" + channel + "/play/" + greeting + "?media=sound:hello"));
      case "CHANNEL_DTMF_RECEIVED" -> List.of(new AriCommand("DELETE", "/playbacks/" + greeting));
      case "PLAYBACK_FINISHED" -> {
        String target = event.at("/playback/target_uri").asText(); // channel:1763881331.12
        yield List.of(new AriCommand("DELETE", target.replace("channel:", "/channels/")));
      }
      default -> List.of();
    };
  }
}
