// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Mapping;
import io.retel.ariproxy.text.LogText;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.OpenType;
import javax.management.openmbean.SimpleType;
import javax.management.openmbean.TabularData;
import javax.management.openmbean.TabularDataSupport;
import javax.management.openmbean.TabularType;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** MBean for mappings. A resource is written as its type and id: {@code CHANNEL:17.1}. */
@ManagedResource(description = "Mappings of resources to call contexts")
public final class ManagedCallContexts {

  private static final Logger LOG = LoggerFactory.getLogger(ManagedCallContexts.class);

  /** Maximum number of rows that fit in a console and in a response. */
  private static final int MAX_ROWS = 1_000;

  private static final String RESOURCE = "resource";

  private static final String[] COLUMNS = {
    RESOURCE, "callContext", "application", "ended", "usedAt"
  };

  private static final CompositeType ROW;
  private static final TabularType TABLE;

  static {
    try {
      ROW =
          new CompositeType(
              "mapping",
              "Mapping of a resource",
              COLUMNS,
              new String[] {
                "Type and id",
                "Call context",
                "Stasis application of a channel, or empty",
                "Whether the resource has ended and is mapped for late events only",
                "Approximate time of last use"
              },
              new OpenType<?>[] {
                SimpleType.STRING,
                SimpleType.STRING,
                SimpleType.STRING,
                SimpleType.BOOLEAN,
                SimpleType.STRING
              });
      TABLE = new TabularType("mappings", "Mappings", ROW, new String[] {RESOURCE});
    } catch (OpenDataException e) {
      throw new IllegalStateException(e);
    }
  }

  private final CallContexts callContexts;

  public ManagedCallContexts(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @ManagedAttribute(description = "Number of live resources")
  public int getResources() {
    return callContexts.activeResources();
  }

  @ManagedAttribute(description = "Number of calls with at least one live resource")
  public int getCallContexts() {
    return callContexts.activeCalls();
  }

  @ManagedOperation(
      description =
          "Finds mappings whose call context, type and id, or id starts with a prefix; all if it is"
              + " empty. Returns at most limit rows, from 1 to 1000")
  public TabularData find(@Nullable String prefix, int limit) throws OpenDataException {
    if (limit < 1 || limit > MAX_ROWS) {
      throw new IllegalArgumentException(
          "limit must be from 1 to " + MAX_ROWS + ", but is " + limit);
    }
    TabularData rows = new TabularDataSupport(TABLE);
    for (Map.Entry<Resource, Mapping> entry :
        callContexts.find(Objects.requireNonNullElse(prefix, "").strip(), limit).entrySet()) {
      rows.put(row(entry.getKey(), entry.getValue()));
    }
    return rows;
  }

  @ManagedOperation(description = "Returns the mapping of a resource, such as CHANNEL:1532965104.0")
  public CompositeData lookUp(String resource) throws OpenDataException {
    Resource parsed = parseResource(resource);
    return row(parsed, callContexts.peek(parsed).orElseThrow(() -> unknownResource(resource)));
  }

  @ManagedOperation(
      description =
          "Removes the mapping of a resource, such as CHANNEL:1532965104.0, from memory and the"
              + " store. Its later events use their CALL_CONTEXT or are unmapped. Returns its call"
              + " context")
  public String evict(String resource) {
    String callContext =
        callContexts
            .evict(parseResource(resource))
            .orElseThrow(() -> unknownResource(resource))
            .callContext();
    LOG.info("Mapping evicted by operator: {} of call context {}", resource.strip(), callContext);
    return callContext;
  }

  @ManagedOperation(
      description =
          "Removes all mappings of a call context from memory and the store. Returns their number")
  public int evictCallContext(@Nullable String callContext) {
    if (callContext == null || callContext.isBlank()) {
      throw new IllegalArgumentException("The call context is missing");
    }
    List<Resource> evicted = callContexts.evictAllOf(callContext.strip());
    if (evicted.isEmpty()) {
      throw new IllegalArgumentException(
          "Call context " + LogText.abbreviate(callContext) + " has no mappings");
    }
    LOG.info("Mappings evicted by operator: call context {} with {}", callContext, evicted);
    return evicted.size();
  }

  private static Resource parseResource(String text) {
    try {
      return Resource.fromKey(text.strip());
    } catch (IllegalArgumentException | NullPointerException e) {
      throw new IllegalArgumentException(
          LogText.abbreviate(text)
              + " is not a resource: use type and id, such as CHANNEL:1532965104.0; types are "
              + List.of(ResourceType.values()).stream()
                  .filter(ResourceType::isCallScoped)
                  .toList());
    }
  }

  private static IllegalArgumentException unknownResource(String resource) {
    return new IllegalArgumentException(LogText.abbreviate(resource) + " has no mapping");
  }

  private static CompositeData row(Resource resource, Mapping mapping) throws OpenDataException {
    return new CompositeDataSupport(
        ROW,
        COLUMNS,
        new Object[] {
          resource.key(),
          mapping.callContext(),
          Objects.requireNonNullElse(mapping.application(), ""),
          mapping.ended(),
          Instant.ofEpochSecond(mapping.usedAt()).toString()
        });
  }
}
