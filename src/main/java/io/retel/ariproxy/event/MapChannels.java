package io.retel.ariproxy.event;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.Meters;
import io.retel.ariproxy.callcontext.CallContextRules;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives the channels that are in the proxy's Stasis applications, and that it does not know, their
 * call context (contract.md section 3, rule 4).
 *
 * <p>Expects what Asterisk says in the properties {@code asterisk} and {@code applications}, and
 * its channels as the body; an application lists other channels as well, which it has subscribed
 * to.
 */
public final class MapChannels implements Processor {

  private static final Logger LOG = LoggerFactory.getLogger(MapChannels.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CallContextRules rules;
  private final Set<String> ownApplications;
  private final Counter found;

  public MapChannels(CallContextRules rules, Set<String> ownApplications, MeterRegistry meters) {
    this.rules = rules;
    this.ownApplications = Set.copyOf(ownApplications);
    this.found = Meters.CHANNELS_FOUND.in(meters);
  }

  @Override
  public void process(Exchange exchange) throws JsonProcessingException {
    String asteriskId =
        JSON.readTree(exchange.getProperty("asterisk", String.class))
            .at("/system/entity_id")
            .asText();
    Map<String, JsonNode> inStasis = new HashMap<>();
    for (JsonNode channel : JSON.readTree(exchange.getMessage().getBody(String.class))) {
      if (channel.at("/dialplan/app_name").asText().equals("Stasis")) {
        inStasis.put(channel.path("id").asText(), channel);
      }
    }
    int given = 0;
    for (JsonNode application : JSON.readTree(exchange.getProperty("applications", String.class))) {
      String name = application.path("name").asText();
      if (ownApplications.contains(name)) {
        for (JsonNode id : application.path("channel_ids")) {
          JsonNode channel = inStasis.get(id.asText());
          if (channel != null && rules.mapPresent(asteriskId, name, channel)) {
            given++;
          }
        }
      }
    }
    if (given > 0) {
      found.increment(given);
      LOG.info("{} channels that were in Stasis already have their call context", given);
    }
  }
}
