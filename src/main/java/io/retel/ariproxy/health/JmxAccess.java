// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.health.RefusedRequests.Reason;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import javax.management.ObjectName;
import org.jolokia.server.core.restrictor.AbstractConstantRestrictor;
import org.jolokia.server.core.util.RequestType;
import org.jspecify.annotations.Nullable;

/**
 * What can be read, written and invoked over HTTP; everything else is denied. Nothing here takes a
 * URI, a path, a script or a library, and no attribute contains a secret.
 */
final class JmxAccess extends AbstractConstantRestrictor {

  private static final String CAMEL = "org.apache.camel";

  private static final Set<RequestType> TYPES =
      Set.of(
          RequestType.READ,
          RequestType.WRITE,
          RequestType.EXEC,
          RequestType.LIST,
          RequestType.SEARCH,
          RequestType.VERSION);

  /** States, counts and times; not those with a URI, an expression or an exception. */
  private static final Pattern STATISTICS =
      Pattern.compile(
          "State|Uptime|UptimeMillis|StartTimestamp|ResetTimestamp|IdleSince|CamelId|CamelVersion"
              + "|CamelManagementName|ManagementName|RouteId|RouteGroup|NodePrefixId|ProcessorId"
              + "|ProcessorName|StepId|Index|Level|TotalRoutes|StartedRoutes|Throughput|Load\\d\\d"
              + "|Redeliveries|ExternalRedeliveries|FailuresHandled|(Remote)?Exchanges[A-Z]\\w*"
              + "|[A-Z][a-z]+ProcessingTime|(First|Last)Exchange\\w+|OldestInflight\\w+|AutoStartup"
              + "|StatisticsEnabled|Tracing|SourceLocationShort|Disabled|Timeout");

  private static final Pattern ALL = Pattern.compile(".*");

  /** The values of trace filters that {@link #isValueAllowed} allows. */
  private static final Pattern TRACE_FILTER = traceFilter();

  /** Ids with at most one star, at the end: as a regular expression, they match in linear time. */
  private static final Pattern TRACE_PATTERN = tracePattern();

  private static final int MAX_FILTER_LENGTH = 2_000;
  private static final int MAX_PATTERN_LENGTH = 1_000;

  /**
   * MBeans with the same access.
   *
   * @param type value of the key property {@code type}
   * @param name value of the key property {@code name}; null for any
   * @param attributes those that can be read
   * @param writable attributes
   * @param operations names without parameters, or with them if only these are allowed
   */
  private record Rule(
      String domain,
      Pattern type,
      @Nullable String name,
      Pattern attributes,
      Set<String> writable,
      Set<String> operations) {

    boolean matches(ObjectName mbean) {
      String type = mbean.getKeyProperty("type");
      return domain.equals(mbean.getDomain())
          && this.type.matcher(type == null ? "" : type).matches()
          && (name == null || name.equals(mbean.getKeyProperty("name")));
    }
  }

  private static final List<Rule> RULES =
      List.of(
          proxy("Proxy"),
          proxy("Commands", "pause", "pauseGeneric", "resume", "skipUnreadable"),
          proxy("Websocket", "reconnect", "reclaim"),
          proxy("CallContexts", "find", "lookUp", "evict", "evictCallContext"),
          proxy("Logging", "level", "setLevel"),
          new Rule(
              CAMEL,
              Pattern.compile("context"),
              null,
              STATISTICS,
              Set.of(),
              Set.of("dumpRoutesAsXml()", "dumpRoutesStatsAsXml")),
          new Rule(
              CAMEL,
              Pattern.compile("routes"),
              null,
              STATISTICS,
              Set.of(),
              Set.of("start", "stop", "dumpRouteAsXml()", "dumpRouteStatsAsXml")),
          new Rule(
              CAMEL, Pattern.compile("processors|steps"), null, STATISTICS, Set.of(), Set.of()),
          new Rule(
              CAMEL,
              Pattern.compile("tracer"),
              "BacklogTracer",
              ALL,
              Set.of("Enabled", "TraceFilter", "TracePattern"),
              Set.of(
                  "dumpAllTracedMessagesAsJSon",
                  "dumpTracedMessagesAsJSon",
                  "dumpLatestMessageHistoryAsJSon",
                  // of Hawtio
                  "dumpAllTracedMessagesAsXml()",
                  "setEnabled",
                  "clear",
                  "resetTraceCounter")),
          new Rule(
              CAMEL,
              Pattern.compile("tracer"),
              "LogTracer",
              ALL,
              Set.of("Enabled", "TracePattern"),
              Set.of("resetTraceCounter")),
          new Rule("metrics", ALL, null, ALL, Set.of(), Set.of()),
          new Rule(
              "java.lang",
              Pattern.compile("Memory|MemoryPool|GarbageCollector|OperatingSystem|ClassLoading"),
              null,
              ALL,
              Set.of(),
              Set.of()),
          new Rule(
              "java.lang",
              Pattern.compile("Threading"),
              null,
              Pattern.compile("\\w*ThreadCount"),
              Set.of(),
              Set.of()),
          new Rule(
              "java.lang",
              Pattern.compile("Runtime"),
              null,
              Pattern.compile("Uptime|StartTime|(Vm|Spec)(Name|Vendor|Version)"),
              Set.of(),
              Set.of()));

  private final RefusedRequests refused;

  JmxAccess(RefusedRequests refused) {
    super(false);
    this.refused = refused;
  }

  private static Rule proxy(String type, String... operations) {
    return new Rule(
        "io.retel.ariproxy", Pattern.compile(type), null, ALL, Set.of(), Set.of(operations));
  }

  /** Comparisons of exchange properties and headers with constants, joined by && or ||. */
  private static Pattern traceFilter() {
    String operand = "\\$\\{(?:exchangeProperty|header)\\.[A-Za-z_][\\w-]*}";
    String operator = "(?:==|=~|!=|!=~|>=|>|<=|<|!?contains|~~|!?~~|starts with|ends with)";
    String constant =
        "(?:'[^'\"${}\\\\\\p{Cntrl}]*+'|\"[^'\"${}\\\\\\p{Cntrl}]*+\"|-?\\d{1,9}|true|false|null)";
    String comparison = operand + " " + operator + " " + constant;
    return Pattern.compile("(?:" + comparison + "(?: (?:&&|\\|\\|) " + comparison + ")*+)?");
  }

  private static Pattern tracePattern() {
    String id = "(?:\\*|[\\w.-]*[\\w-]\\*?)";
    return Pattern.compile("(?:" + id + "(?:, *" + id + ")*+)?");
  }

  @Override
  public boolean isTypeAllowed(RequestType type) {
    return TYPES.contains(type);
  }

  @Override
  public boolean isHttpMethodAllowed(org.jolokia.server.core.util.HttpMethod method) {
    return true;
  }

  @Override
  public boolean isAttributeReadAllowed(ObjectName mbean, String attribute) {
    return RULES.stream()
        .anyMatch(rule -> rule.matches(mbean) && rule.attributes().matcher(attribute).matches());
  }

  @Override
  public boolean isAttributeWriteAllowed(ObjectName mbean, String attribute) {
    return allow(
        RULES.stream().anyMatch(rule -> rule.matches(mbean) && rule.writable().contains(attribute)),
        "writing " + attribute + " of " + mbean);
  }

  @Override
  public boolean isOperationAllowed(ObjectName mbean, String operation) {
    String name = operation.replaceFirst("\\(.*", "");
    return allow(
        RULES.stream()
            .filter(rule -> rule.matches(mbean))
            .anyMatch(
                rule -> rule.operations().contains(operation) || rule.operations().contains(name)),
        "invoking " + operation + " of " + mbean);
  }

  @Override
  public boolean isObjectNameHidden(ObjectName mbean) {
    return RULES.stream().noneMatch(rule -> rule.matches(mbean));
  }

  /**
   * Whether a request is of an allowed type. Jolokia asks {@link #isTypeAllowed} only for requests
   * that concern an MBean: not for notifications, whose registrations take heap until they are
   * removed, nor for its configuration.
   */
  boolean isTypeAllowed(JsonNode request) {
    String name = request.path("type").asText();
    return allow(
        TYPES.stream().anyMatch(type -> type.getName().equalsIgnoreCase(name)),
        "a request of type " + name);
  }

  /**
   * Whether the value of a request may be written. Camel evaluates filters as expressions, and
   * matches patterns as regular expressions, for each message.
   *
   * @param request a request of any type
   */
  boolean isValueAllowed(JsonNode request) {
    String attribute = request.path("attribute").asText();
    Pattern allowed =
        switch (attribute) {
          case "TraceFilter" -> TRACE_FILTER;
          case "TracePattern" -> TRACE_PATTERN;
          default -> ALL;
        };
    int maxLength = allowed == TRACE_PATTERN ? MAX_PATTERN_LENGTH : MAX_FILTER_LENGTH;
    JsonNode value = request.path("value");
    return value.isMissingNode()
        || value.isNull()
        || allowed == ALL && request.path("attribute").isTextual()
        || allow(
            allowed != ALL
                && value.isTextual()
                && value.textValue().length() <= maxLength
                && allowed.matcher(value.textValue()).matches(),
            "value of " + attribute);
  }

  private boolean allow(boolean allowed, String access) {
    if (!allowed) {
      refused.record(Reason.OPERATION, access + " is not allowed over HTTP");
    }
    return allowed;
  }
}
