package io.retel.ariproxy.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads commands. Whatever comes is a {@link Command}: one that cannot be carried out has a
 * rejection, and as much of what its RESPONSE needs as could be read.
 */
public final class CommandReader {

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();
  private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "DELETE");

  private final CallContexts callContexts;

  public CommandReader(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  /**
   * Reads a command.
   *
   * @param origin where it stands in Kafka
   * @param value the record's value, or null
   */
  public Command read(Origin origin, byte[] value) {
    JsonNode json;
    try {
      json = parse(value);
    } catch (CommandRejectedException e) {
      return new Command(origin, null, null, null, null, null, List.of(), List.of(), e);
    }
    String callContext = text(json.path("callContext"));
    JsonNode commandId = json.hasNonNull("commandId") ? json.get("commandId") : null;
    JsonNode ariCommand = json.path("ariCommand");
    String method = text(ariCommand.path("method"));
    String url = text(ariCommand.path("url"));
    try {
      Target target = target(origin, method, url, ariCommand.path("body"));
      return new Command(
          origin,
          callContext != null ? callContext : callContextOf(origin, target),
          commandId,
          method,
          url,
          target.request,
          target.resources,
          target.created,
          null);
    } catch (CommandRejectedException e) {
      return new Command(
          origin, callContext, commandId, method, url, null, List.of(), List.of(), e);
    }
  }

  private record Target(AriRequest request, List<Resource> resources, List<Resource> created) {}

  private static JsonNode parse(byte[] value) {
    if (value == null || value.length == 0) {
      throw new CommandRejectedException(400, "The record is empty; a command is a JSON object");
    }
    JsonNode json;
    try {
      json = JSON.readTree(value);
    } catch (JsonProcessingException e) {
      throw new CommandRejectedException(
          400, "The record is no JSON: " + Shortened.text(e.getOriginalMessage()));
    } catch (IOException e) {
      throw new CommandRejectedException(400, "The record is no JSON");
    }
    if (!json.isObject()) {
      throw new CommandRejectedException(400, "The record is no JSON object");
    }
    return json;
  }

  private static Target target(Origin origin, String method, String url, JsonNode body) {
    if (method == null) {
      throw new CommandRejectedException(400, "The command has no ariCommand.method");
    }
    if (!METHODS.contains(method)) {
      throw new CommandRejectedException(
          400, "The command's method is none of GET, POST, PUT and DELETE");
    }
    if (url == null) {
      throw new CommandRejectedException(400, "The command has no ariCommand.url");
    }
    AriUrl ariUrl = AriUrl.parse(url);
    AriOperations.Operation operation = AriOperations.find(method, ariUrl.segments()).orElse(null);
    String query = ariUrl.query();
    List<Resource> resources = new ArrayList<>(2);
    List<Resource> created = new ArrayList<>(2);
    if (operation != null) {
      resources.addAll(operation.inPath(ariUrl.segments()));
      if (operation.createsInPath()) {
        created.add(resources.get(resources.size() - 1));
      } else if (operation.creates() != null) {
        Optional<String> given = id(operation.idParameter(), ariUrl, body);
        if (given.isPresent()) {
          created.add(new Resource(operation.creates(), given.get()));
        } else if (operation.idMayBeAdded()) {
          String added = origin.derivedId(operation.idParameter());
          if (body.has(operation.idParameter())) {
            // what stands there now would hide it in the query
            ((ObjectNode) body).put(operation.idParameter(), added);
          } else {
            query =
                (query == null || query.isEmpty() ? "" : query + "&")
                    + operation.idParameter()
                    + "="
                    + added;
          }
          created.add(new Resource(operation.creates(), added));
        }
        resources.addAll(created);
      }
      if (operation.createsSecondLeg()) {
        Optional<String> secondLeg = id("otherChannelId", ariUrl, body);
        secondLeg.ifPresent(id -> resources.add(new Resource(ResourceType.CHANNEL, id)));
        // Asterisk names a second leg that has no name after the first one
        created.add(
            new Resource(ResourceType.CHANNEL, secondLeg.orElse(created.get(0).id() + ";2")));
      }
    }
    byte[] bytes = body.isMissingNode() || body.isNull() ? null : bytes(body);
    return new Target(
        new AriRequest(method, ariUrl.path(), query, bytes),
        List.copyOf(resources),
        List.copyOf(created));
  }

  /**
   * The id that Asterisk takes: if the body has one, whatever it is, that of the query does not
   * count; an empty one, or one that is no text, is none.
   */
  private static Optional<String> id(String parameter, AriUrl url, JsonNode body) {
    return body.has(parameter)
        ? Optional.ofNullable(text(body.get(parameter)))
        : url.queryParameter(parameter).filter(id -> !id.isEmpty());
  }

  /** That of a resource in the path; a creation that belongs to no call begins one. */
  private String callContextOf(Origin origin, Target target) {
    for (Resource resource : target.resources) {
      Optional<String> known = callContexts.of(resource);
      if (known.isPresent()) {
        return known.get();
      }
    }
    return target.created.isEmpty() ? null : origin.derivedId("callContext");
  }

  private static String text(JsonNode node) {
    return node.isTextual() && !node.textValue().isEmpty() ? node.textValue() : null;
  }

  private static byte[] bytes(JsonNode body) {
    return body.toString().getBytes(StandardCharsets.UTF_8);
  }
}
