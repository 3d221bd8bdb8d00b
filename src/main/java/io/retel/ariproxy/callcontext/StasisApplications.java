// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The proxy's Stasis applications, and those that it has lost to another client
 * (docs/contract.md#fencing). Thread-safe.
 */
public final class StasisApplications {

  private static final String APP_PARAMETER = "app=";

  private final List<String> configured;
  private final CallContexts callContexts;

  /**
   * The lost applications, each with the call contexts that were its own. Replaced, not changed.
   */
  private volatile Map<String, Set<String>> lost = Map.of();

  /**
   * @param configured the applications in {@code ari.app}
   */
  public StasisApplications(List<String> configured, CallContexts callContexts) {
    this.configured = List.copyOf(configured);
    this.callContexts = callContexts;
  }

  /** Returns the applications whose events the proxy receives, in the order of {@code ari.app}. */
  public List<String> own() {
    return configured.stream().filter(application -> !isLost(application)).toList();
  }

  /** Whether an application is in {@code ari.app}, also if it is lost. */
  public boolean isConfigured(String application) {
    return configured.contains(application);
  }

  /** Returns the lost applications. */
  public Set<String> lost() {
    return lost.keySet();
  }

  public boolean isLost(String application) {
    return lost.containsKey(application);
  }

  /**
   * Records that another client has taken over an application.
   *
   * @return false, and changes nothing, if the proxy would have no other application
   */
  public synchronized boolean lose(String application) {
    if (!isConfigured(application) || own().equals(List.of(application))) {
      return false;
    }
    Map<String, Set<String>> updated = new TreeMap<>(lost);
    updated.put(application, callContexts.activeOnlyIn(application));
    lost = updated;
    return true;
  }

  /**
   * Requests a lost application again, with the next connect.
   *
   * @return false if it is not lost
   */
  public synchronized boolean reclaim(String application) {
    Map<String, Set<String>> updated = new TreeMap<>(lost);
    boolean wasLost = updated.remove(application) != null;
    lost = updated;
    return wasLost;
  }

  /**
   * Returns the lost application that owns a call, or one of its resources, if any.
   *
   * @param resources the resources of a command; each one is decided by its application, otherwise
   *     by the call context that it is mapped to
   * @param callContext decides, unless a channel is in an application that is not lost; or null
   */
  public Optional<String> lostOwner(Collection<Resource> resources, @Nullable String callContext) {
    Map<String, Set<String>> current = lost;
    if (current.isEmpty()) {
      return Optional.empty();
    }
    boolean isInOwnApplication = false;
    for (Resource resource : resources) {
      if (resource.type() == ResourceType.APPLICATION && current.containsKey(resource.id())) {
        return Optional.of(resource.id());
      }
      Mapping mapping = callContexts.peek(resource).filter(each -> !each.ended()).orElse(null);
      if (mapping != null) {
        String application = mapping.application();
        Optional<String> owner =
            application == null
                ? ownerOf(mapping.callContext(), current)
                : Optional.of(application).filter(current::containsKey);
        if (owner.isPresent()) {
          return owner;
        }
        isInOwnApplication |= application != null;
      }
    }
    return isInOwnApplication ? Optional.empty() : ownerOf(callContext, current);
  }

  private static Optional<String> ownerOf(
      @Nullable String callContext, Map<String, Set<String>> lost) {
    return lost.entrySet().stream()
        .filter(entry -> callContext != null && entry.getValue().contains(callContext))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** Returns the mappings of all resources that do not belong to a lost application. */
  public Map<Resource, Mapping> mappings() {
    Map<Resource, Mapping> mappings = callContexts.all();
    mappings
        .entrySet()
        .removeIf(
            entry ->
                lostOwner(List.of(entry.getKey()), entry.getValue().callContext()).isPresent());
    return mappings;
  }

  /**
   * Returns the address of a websocket without the lost applications in its parameter {@code app}.
   */
  public URI withoutLost(URI address) {
    String query = address.getRawQuery();
    if (lost.isEmpty() || query == null) {
      return address;
    }
    String remaining =
        Stream.of(query.split("&")).map(this::withoutLost).collect(Collectors.joining("&"));
    String text = address.toString();
    return URI.create(text.substring(0, text.indexOf('?') + 1) + remaining);
  }

  private String withoutLost(String parameter) {
    if (!parameter.startsWith(APP_PARAMETER)) {
      return parameter;
    }
    String applications =
        URLDecoder.decode(parameter.substring(APP_PARAMETER.length()), StandardCharsets.UTF_8);
    return APP_PARAMETER
        + URLEncoder.encode(
            Stream.of(applications.split(","))
                .filter(application -> !isLost(application))
                .collect(Collectors.joining(",")),
            StandardCharsets.UTF_8);
  }
}
