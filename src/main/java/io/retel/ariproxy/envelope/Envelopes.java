// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.EventType;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.config.EventResourcesFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Writes envelopes as JSON in UTF-8. Embeds the bytes of an event's payload as Asterisk sent them,
 * without building a tree.
 */
public final class Envelopes {

  private static final JsonFactory JSON = new ObjectMapper().getFactory();
  private static final int HEADER_SIZE = 512;

  private final String commandsTopic;
  private final EventResourcesFormat format;

  /**
   * @param commandsTopic the topic for commands to this proxy's Asterisk
   * @param format the format of an event's resources
   */
  public Envelopes(String commandsTopic, EventResourcesFormat format) {
    this.commandsTopic = commandsTopic;
    this.format = format;
  }

  /**
   * Returns the envelope of an event.
   *
   * @param callContexts the call contexts that it is published to if there are several, otherwise
   *     empty
   */
  public byte[] event(MappedEvent mapped, List<String> callContexts) {
    byte[] payload = mapped.event().payload();
    return write(
        HEADER_SIZE + payload.length,
        json -> {
          json.writeStringField("type", EventType.envelopeName(mapped.type()));
          json.writeStringField("callContext", mapped.callContext());
          if (!callContexts.isEmpty()) {
            json.writeArrayFieldStart("callContexts");
            for (String callContext : callContexts) {
              json.writeString(callContext);
            }
            json.writeEndArray();
          }
          json.writeStringField("commandsTopic", commandsTopic);
          json.writeNullField("commandId");
          json.writeNullField("commandRequest");
          json.writeFieldName("resources");
          if (format == EventResourcesFormat.ARRAY) {
            writeResources(json, mapped.resources());
          } else if (mapped.resources().isEmpty()) {
            json.writeNull();
          } else {
            writeResource(json, mapped.resources().get(0));
          }
          json.writeFieldName("payload");
          json.writeRawValue(new RawJson(payload));
        });
  }

  /**
   * Returns the RESPONSE envelope of a command.
   *
   * @param request what the controller sent; its fields can be null
   * @param resources the command's resources, created ones last
   */
  public byte[] response(CommandRequest request, List<Resource> resources, CommandResult result) {
    return write(
        HEADER_SIZE + length(request.callContext()) + length(request.url()) + payloadSize(result),
        json -> {
          json.writeStringField("type", "RESPONSE");
          json.writeStringField("callContext", request.callContext());
          json.writeStringField("commandsTopic", commandsTopic);
          if (request.commandId() != null) {
            json.writeFieldName("commandId");
            json.writeTree(request.commandId());
          }
          if (request.method() == null && request.url() == null) {
            json.writeNullField("commandRequest");
          } else {
            json.writeObjectFieldStart("commandRequest");
            json.writeStringField("method", request.method());
            json.writeStringField("url", request.url());
            json.writeEndObject();
          }
          json.writeFieldName("resources");
          writeResources(json, resources);
          json.writeFieldName("payload");
          writePayload(json, result);
        });
  }

  private static int length(@Nullable String text) {
    return text == null ? 0 : text.length();
  }

  /** Approximate size in bytes. */
  private static int payloadSize(CommandResult result) {
    if (result instanceof CommandResult.Json response) {
      return 48 + response.body().length;
    }
    if (result instanceof CommandResult.Binary response) {
      return 128 + response.contentType().length() + (response.body().length + 2) / 3 * 4;
    }
    if (result instanceof CommandResult.Failure failure) {
      return 96 + failure.message().length();
    }
    return 32;
  }

  private static void writePayload(JsonGenerator json, CommandResult result) throws IOException {
    json.writeStartObject();
    json.writeNumberField("status_code", result.status());
    if (result instanceof CommandResult.Json response) {
      json.writeFieldName("body");
      json.writeRawValue(new RawJson(response.body()));
    } else if (result instanceof CommandResult.Binary response) {
      json.writeObjectFieldStart("body");
      json.writeStringField("content_type", response.contentType());
      json.writeBinaryField("base64", response.body());
      json.writeEndObject();
    } else if (result instanceof CommandResult.Failure failure) {
      json.writeObjectFieldStart("body");
      json.writeStringField("message", failure.message());
      json.writeStringField("outcome", failure.outcome().name().toLowerCase(Locale.ROOT));
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void writeResources(JsonGenerator json, List<Resource> resources)
      throws IOException {
    json.writeStartArray();
    for (Resource resource : resources) {
      writeResource(json, resource);
    }
    json.writeEndArray();
  }

  private static void writeResource(JsonGenerator json, Resource resource) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", resource.type().name());
    json.writeStringField("id", resource.id());
    json.writeEndObject();
  }

  private static byte[] write(int size, FieldWriter fieldWriter) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(size);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      fieldWriter.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      // cannot happen in memory
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  @FunctionalInterface
  private interface FieldWriter {
    void writeTo(JsonGenerator json) throws IOException;
  }
}
