// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.text.LogText;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.api.management.ManagedResource;
import org.apache.camel.impl.debugger.BacklogTracer;
import org.apache.camel.management.mbean.ManagedBacklogTracer;
import org.apache.camel.spi.BacklogTracerEventMessage;
import org.apache.camel.spi.ManagementAgent;
import org.apache.camel.spi.ManagementStrategy;
import org.jspecify.annotations.Nullable;

/**
 * MBean of Camel's backlog tracer with masked dumps. An empty text clears its filter; Camel's own
 * MBean would retain the old one.
 *
 * <p>Masks Camel's JSON dumps, which can be split into parts, and writes XML from them. Secrets are
 * always masked, numbers and names if masking is enabled.
 */
@ManagedResource(description = "Managed BacklogTracer, masked")
public final class MaskedBacklogTracer extends ManagedBacklogTracer {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MATCH_ALL = "'all' == 'all'";

  private final PayloadMasker masker;

  private MaskedBacklogTracer(CamelContext context, BacklogTracer tracer, PayloadMasker masker) {
    super(context, tracer);
    this.masker = masker;
  }

  /**
   * Replaces Camel's MBean of the same name.
   *
   * @param context started
   */
  public static void register(CamelContext context, PayloadMasker masker) throws JMException {
    BacklogTracer tracer =
        (BacklogTracer)
            context
                .getCamelContextExtension()
                .getContextPlugin(org.apache.camel.spi.BacklogTracer.class);
    ManagementStrategy management = context.getManagementStrategy();
    if (tracer != null && management.getManagementAgent() != null) {
      ManagementAgent agent = management.getManagementAgent();
      ObjectName name =
          management.getManagementObjectNameStrategy().getObjectNameForTracer(context, tracer);
      agent.unregister(name);
      context.getRegistry().bind(TraceFilterLanguage.NAME, TraceFilterLanguage.of(context));
      MaskedBacklogTracer maskedTracer = new MaskedBacklogTracer(context, tracer, masker);
      maskedTracer.setTraceFilter(tracer.getTraceFilter());
      agent.register(maskedTracer, name);
    }
    TracerEventSwitch.update(context);
  }

  @Override
  public void setEnabled(boolean enabled) {
    super.setEnabled(enabled);
    TracerEventSwitch.update(getContext());
  }

  /**
   * @throws RuntimeException if it cannot be parsed; the previous filter then stays in effect.
   *     Camel's tracer would retain the text
   */
  @Override
  public void setTraceFilter(@Nullable String predicate) {
    String filter =
        TraceFilterLanguage.encode(
            predicate == null || predicate.isBlank() ? MATCH_ALL : predicate);
    TraceFilterLanguage.of(getContext()).createPredicate(filter);
    super.setTraceFilter(filter);
  }

  @Override
  public String getTraceFilter() {
    String text = super.getTraceFilter() == null ? "" : super.getTraceFilter();
    return MATCH_ALL.equals(TraceFilterLanguage.decode(text))
        ? ""
        : TraceFilterLanguage.decode(text);
  }

  @Override
  public String dumpTracedMessagesAsJSon(String nodeOrRouteId) {
    return mask(super.dumpTracedMessagesAsJSon(nodeOrRouteId)).toPrettyString();
  }

  @Override
  public String dumpAllTracedMessagesAsJSon() {
    return mask(super.dumpAllTracedMessagesAsJSon()).toPrettyString();
  }

  @Override
  public String dumpLatestMessageHistoryAsJSon() {
    return mask(super.dumpLatestMessageHistoryAsJSon()).toPrettyString();
  }

  @Override
  public List<BacklogTracerEventMessage> dumpTracedMessages(String nodeOrRouteId) {
    throw unmaskedDumpUnsupported();
  }

  @Override
  public List<BacklogTracerEventMessage> dumpAllTracedMessages() {
    throw unmaskedDumpUnsupported();
  }

  @Override
  public List<BacklogTracerEventMessage> dumpLatestMessageHistory() {
    throw unmaskedDumpUnsupported();
  }

  @Override
  public String dumpTracedMessagesAsXml(String nodeOrRouteId) {
    return TraceXml.of(mask(super.dumpTracedMessagesAsJSon(nodeOrRouteId)));
  }

  @Override
  public String dumpAllTracedMessagesAsXml() {
    return TraceXml.of(mask(super.dumpAllTracedMessagesAsJSon()));
  }

  @Override
  public String dumpLatestMessageHistoryAsXml() {
    return TraceXml.of(mask(super.dumpLatestMessageHistoryAsJSon()));
  }

  private static UnsupportedOperationException unmaskedDumpUnsupported() {
    return new UnsupportedOperationException(
        "Only texts are masked: use the operation ending in AsJSon or AsXml");
  }

  private JsonNode mask(String dump) {
    try {
      return mask(JSON.readTree(dump));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Camel's dump is not JSON", e);
    }
  }

  /**
   * Escapes all texts, since keys and messages of exceptions are foreign as well, without details
   * of URLs, and masks the fields called value, which hold all message contents of a dump.
   */
  private JsonNode mask(JsonNode node) {
    if (node.isTextual()) {
      return TextNode.valueOf(escape(shorten(node)));
    }
    if (node.isArray()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      node.forEach(element -> array.add(mask(element)));
      return array;
    }
    if (!node.isObject()) {
      return node;
    }
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    boolean error = node.path("key").asText().equals(Exchange.EXCEPTION_CAUGHT);
    boolean secret = SensitiveHeaders.matches(node.path("key").asText());
    node.properties()
        .forEach(
            child -> {
              JsonNode value = child.getValue();
              if (child.getKey().equals("value") && value.isTextual()) {
                object.put(
                    "value",
                    secret
                        ? PayloadMasker.MASKED
                        : escape(
                            masker.mask(error ? shorten(value) : unescape(value.textValue()))));
              } else {
                object.set(child.getKey(), mask(value));
              }
            });
    return object;
  }

  private static String shorten(JsonNode text) {
    return ErrorMessages.withoutUrlDetails(unescape(text.textValue()));
  }

  /** Camel bounds the length: {@code camel.trace.bodyMaxChars}. */
  private static String escape(String text) {
    return LogText.escape(text, Integer.MAX_VALUE);
  }

  /** Reverts Camel's escaping of a body or stack trace; Camel escapes it again with the dump. */
  private static String unescape(String text) {
    try {
      return JSON.readValue('"' + text + '"', TextNode.class).textValue();
    } catch (JsonProcessingException e) {
      // neither
      return text;
    }
  }
}
