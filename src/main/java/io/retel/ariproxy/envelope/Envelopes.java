package io.retel.ariproxy.envelope;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.EventType;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.command.AriAnswer;
import io.retel.ariproxy.command.Command;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * Writes envelopes as JSON in UTF-8. An event's payload passes through as the bytes that Asterisk
 * sent; nothing is built as a tree.
 */
public final class Envelopes {

  /** How an event's resources are published. */
  public enum EventResourcesForm {
    /** An array of all of them, as the ari-proxy in the field does. */
    ARRAY,
    /** The deciding one alone, as concepts.md shows it. */
    OBJECT
  }

  private static final JsonFactory JSON = new ObjectMapper().getFactory();
  private static final int HEAD = 512;

  private final String commandsTopic;
  private final EventResourcesForm form;

  /**
   * @param commandsTopic where commands for this proxy's Asterisk go
   * @param form how an event's resources are published
   */
  public Envelopes(String commandsTopic, EventResourcesForm form) {
    this.commandsTopic = commandsTopic;
    this.form = form;
  }

  /** The envelope of an event. */
  public byte[] event(MappedEvent mapped) {
    byte[] payload = mapped.event().payload();
    return write(
        HEAD + payload.length,
        json -> {
          json.writeStringField("type", EventType.envelopeName(mapped.type()));
          json.writeStringField("callContext", mapped.callContext());
          json.writeStringField("commandsTopic", commandsTopic);
          json.writeNullField("commandId");
          json.writeNullField("commandRequest");
          json.writeFieldName("resources");
          if (form == EventResourcesForm.ARRAY) {
            resources(json, mapped.resources());
          } else if (mapped.resources().isEmpty()) {
            json.writeNull();
          } else {
            resource(json, mapped.resources().get(0));
          }
          json.writeFieldName("payload");
          json.writeRawValue(new RawJson(payload));
        });
  }

  /** The envelope of a command's answer. */
  public byte[] response(Command command, AriAnswer answer) {
    return write(
        HEAD + answer.size(),
        json -> {
          json.writeStringField("type", "RESPONSE");
          json.writeStringField("callContext", command.callContext());
          json.writeStringField("commandsTopic", commandsTopic);
          if (command.commandId() != null) {
            json.writeFieldName("commandId");
            json.writeTree(command.commandId());
          }
          if (command.method() == null && command.url() == null) {
            json.writeNullField("commandRequest");
          } else {
            json.writeObjectFieldStart("commandRequest");
            json.writeStringField("method", command.method());
            json.writeStringField("url", command.url());
            json.writeEndObject();
          }
          json.writeFieldName("resources");
          resources(json, command.resources());
          json.writeFieldName("payload");
          answer.writeTo(json);
        });
  }

  private static void resources(JsonGenerator json, List<Resource> resources) throws IOException {
    json.writeStartArray();
    for (Resource resource : resources) {
      resource(json, resource);
    }
    json.writeEndArray();
  }

  private static void resource(JsonGenerator json, Resource resource) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", resource.type().name());
    json.writeStringField("id", resource.id());
    json.writeEndObject();
  }

  private static byte[] write(int size, Fields fields) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(size);
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      fields.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      // memory does not fail
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  @FunctionalInterface
  private interface Fields {
    void writeTo(JsonGenerator json) throws IOException;
  }
}
