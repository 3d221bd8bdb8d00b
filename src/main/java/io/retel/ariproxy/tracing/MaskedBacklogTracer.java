package io.retel.ariproxy.tracing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.retel.ariproxy.logging.PayloadMasker;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.camel.CamelContext;
import org.apache.camel.api.management.ManagedResource;
import org.apache.camel.impl.debugger.BacklogTracer;
import org.apache.camel.management.mbean.ManagedBacklogTracer;
import org.apache.camel.spi.BacklogTracerEventMessage;
import org.apache.camel.spi.ManagementAgent;
import org.apache.camel.spi.ManagementStrategy;

/**
 * The MBean of Camel's backlog tracer, whose dumps are masked; and whose filter can be taken away
 * again by setting it to an empty text, which Camel's own goes on with.
 *
 * <p>Masked are the dumps as JSON, and there are no others: a message's parts are not known apart
 * in them. What may be a secret is masked in any case, numbers and names if the mask is on.
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
   * Takes the place of Camel's own MBean, which has the same name.
   *
   * @param context one that has started
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
      TraceFilterLanguage language = new TraceFilterLanguage();
      language.setCamelContext(context);
      context.getRegistry().bind(TraceFilterLanguage.NAME, language);
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

  @Override
  public void setTraceFilter(String predicate) {
    super.setTraceFilter(
        TraceFilterLanguage.encode(
            predicate == null || predicate.isBlank() ? MATCH_ALL : predicate));
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
    return mask(super.dumpTracedMessagesAsJSon(nodeOrRouteId));
  }

  @Override
  public String dumpAllTracedMessagesAsJSon() {
    return mask(super.dumpAllTracedMessagesAsJSon());
  }

  @Override
  public String dumpLatestMessageHistoryAsJSon() {
    return mask(super.dumpLatestMessageHistoryAsJSon());
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
    throw unmaskedDumpUnsupported();
  }

  @Override
  public String dumpAllTracedMessagesAsXml() {
    throw unmaskedDumpUnsupported();
  }

  @Override
  public String dumpLatestMessageHistoryAsXml() {
    throw unmaskedDumpUnsupported();
  }

  private static UnsupportedOperationException unmaskedDumpUnsupported() {
    return new UnsupportedOperationException(
        "It would not be masked: use the operation whose name ends in AsJSon");
  }

  private String mask(String dump) {
    try {
      return mask(JSON.readTree(dump)).toPrettyString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Camel's dump is no JSON", e);
    }
  }

  /** Of all that a dump has, the contents of messages stand in fields called value. */
  private JsonNode mask(JsonNode node) {
    if (node.isArray()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      node.forEach(element -> array.add(mask(element)));
      return array;
    }
    if (!node.isObject()) {
      return node;
    }
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    boolean secret = SensitiveHeaders.matches(node.path("key").asText());
    node.fields()
        .forEachRemaining(
            child -> {
              JsonNode value = child.getValue();
              if (child.getKey().equals("value") && value.isTextual()) {
                object.put(
                    "value",
                    secret ? PayloadMasker.MASKED : masker.mask(unescape(value.textValue())));
              } else {
                object.set(child.getKey(), mask(value));
              }
            });
    return object;
  }

  /** Camel escapes a body, and then the dump with it. */
  private static String unescape(String text) {
    try {
      return JSON.readValue('"' + text + '"', TextNode.class).textValue();
    } catch (JsonProcessingException e) {
      // it is no body
      return text;
    }
  }
}
