// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.StringWriter;
import java.text.SimpleDateFormat;
import java.util.List;
import java.util.Locale;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.apache.camel.spi.BacklogTracerEventMessage;

/**
 * A masked dump of the backlog tracer in Camel's XML, which Hawtio reads. Camel's own XML cannot be
 * parsed to mask it: it contains any character of a message.
 */
final class TraceXml {

  private static final String ROOT = BacklogTracerEventMessage.ROOT_TAG;

  /** Fields whose elements have the same names. */
  private static final List<String> FIELDS =
      List.of(
          "uid",
          "first",
          "last",
          "rest",
          "template",
          "elapsed",
          "threadName",
          "done",
          "failed",
          "location",
          "routeId",
          "endpointUri",
          "remoteEndpoint",
          "exchangeId");

  private final StringWriter text = new StringWriter();
  private final XMLStreamWriter xml;

  private TraceXml() throws XMLStreamException {
    xml = XMLOutputFactory.newDefaultFactory().createXMLStreamWriter(text);
  }

  /**
   * Returns the XML of a dump.
   *
   * @param dump Camel's JSON, masked and escaped
   */
  static String of(JsonNode dump) {
    try {
      TraceXml writer = new TraceXml();
      writer.addDump(dump);
      return writer.text.toString();
    } catch (XMLStreamException e) {
      // writes to memory
      throw new IllegalStateException(e);
    }
  }

  private void addDump(JsonNode dump) throws XMLStreamException {
    xml.writeStartElement(ROOT + "s");
    xml.writeCharacters("\n");
    for (JsonNode trace : dump.path("traces")) {
      addTrace(trace);
      xml.writeCharacters("\n");
    }
    xml.writeEndElement();
    xml.close();
  }

  private void addTrace(JsonNode trace) throws XMLStreamException {
    xml.writeStartElement(ROOT);
    for (String field : FIELDS) {
      if (trace.has(field)) {
        addElement(field, trace, trace.path(field));
      }
    }
    xml.writeStartElement("timestamp");
    xml.writeCharacters(
        new SimpleDateFormat(BacklogTracerEventMessage.TIMESTAMP_FORMAT, Locale.ROOT)
            .format(trace.path("timestamp").asLong()));
    xml.writeEndElement();
    // the first step of a message is its route
    addElement("toNode", trace, trace.path(trace.has("nodeId") ? "nodeId" : "routeId"));
    addMessage(trace.path("message"));
    JsonNode exception = trace.path("exception");
    if (exception.isObject()) {
      addElement("exception", exception, exception.path("stackTrace"), "type", "message");
    }
    xml.writeEndElement();
  }

  private void addMessage(JsonNode message) throws XMLStreamException {
    xml.writeStartElement("message");
    addAttributes(message, "exchangeId", "exchangePattern", "exchangeType", "messageType");
    addValues(message, "exchangeVariables", "exchangeVariable");
    addValues(message, "exchangeProperties", "exchangeProperty");
    addValues(message, "headers", "header");
    JsonNode body = message.path("body");
    if (body.isObject()) {
      addElement("body", body, body.path("value"), "type", "size", "position");
    }
    xml.writeEndElement();
  }

  private void addValues(JsonNode message, String list, String element) throws XMLStreamException {
    if (message.path(list).isEmpty()) {
      return;
    }
    xml.writeStartElement(list);
    for (JsonNode value : message.path(list)) {
      addElement(element, value, value.path("value"), "key", "type");
    }
    xml.writeEndElement();
  }

  /**
   * @param attributes those fields of the object that become attributes
   */
  private void addElement(String name, JsonNode object, JsonNode content, String... attributes)
      throws XMLStreamException {
    xml.writeStartElement(name);
    addAttributes(object, attributes);
    xml.writeCharacters(printable(content));
    xml.writeEndElement();
  }

  private void addAttributes(JsonNode object, String... names) throws XMLStreamException {
    for (String name : names) {
      if (object.hasNonNull(name)) {
        xml.writeAttribute(name, printable(object.path(name)));
      }
    }
  }

  /** Replaces two characters that XML cannot contain; all others are escaped already. */
  private static String printable(JsonNode value) {
    String content = value.isContainerNode() ? value.toString() : value.asText("");
    return content.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff");
  }
}
