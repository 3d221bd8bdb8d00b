// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What Asterisk has not answered in a resync: the resources that it has not described, and why
 * queries have failed. Thread-safe.
 */
final class OpenQuestions {

  private static final Logger LOG = LoggerFactory.getLogger(OpenQuestions.class);

  private static final Duration FAILURE_LOG_INTERVAL = Duration.ofMinutes(1);

  /** Failures named in a log line. */
  private static final int MAX_LOGGED_FAILURES = 3;

  private final Set<Resource> resources = new LinkedHashSet<>();

  /** The latest failure of each question, by resource or path. */
  private final Map<Object, Failure> failures = new LinkedHashMap<>();

  private String loggedStatus = "";
  private Moment failuresLogged = Moment.now();

  /**
   * Why a question is still open.
   *
   * @param reason a clause
   * @param undescribable whether Asterisk fails on this resource only, as long as it exists
   */
  private record Failure(String reason, boolean undescribable) {}

  /** Adds resources; returns whether one of them was not open. */
  synchronized boolean addAll(Collection<Resource> added) {
    return resources.addAll(added);
  }

  synchronized boolean contains(Resource resource) {
    return resources.contains(resource);
  }

  /** Removes a resource that Asterisk has described; returns whether it was open. */
  synchronized boolean remove(Resource resource) {
    return resources.remove(resource);
  }

  /** Removes resources, with their failures. */
  synchronized void removeIf(Predicate<Resource> condition) {
    resources.removeIf(condition);
    failures.keySet().removeIf(key -> key instanceof Resource && !resources.contains(key));
  }

  synchronized List<Resource> ofType(ResourceType type) {
    return resources.stream().filter(resource -> resource.type() == type).toList();
  }

  /** Returns the resources whose query has not failed. */
  synchronized List<Resource> withoutFailure() {
    return resources.stream().filter(resource -> !failures.containsKey(resource)).toList();
  }

  /**
   * Records a failure.
   *
   * @param question a resource or a path
   * @param reason a clause
   * @param undescribable whether Asterisk fails on this resource only, as long as it exists
   */
  synchronized void fail(Object question, String reason, boolean undescribable) {
    failures.put(question, new Failure(reason, undescribable));
  }

  synchronized void removeFailure(Object question) {
    failures.remove(question);
  }

  /** Removes the failures of all paths that begin with a prefix. */
  synchronized void removeFailures(String prefix) {
    failures.keySet().removeIf(key -> key.toString().startsWith(prefix));
  }

  /** Whether a query has failed. */
  synchronized boolean hasFailures() {
    return !failures.isEmpty();
  }

  /** Whether everything is answered. */
  synchronized boolean isEmpty() {
    return resources.isEmpty() && failures.isEmpty();
  }

  /** Number of open questions, without {@link #undescribable}. */
  synchronized long pending() {
    long lists = failures.keySet().stream().filter(key -> !(key instanceof Resource)).count();
    return lists + resources.size() - undescribable();
  }

  /** Number of resources that Asterisk cannot describe. */
  synchronized long undescribable() {
    return failures.values().stream().filter(Failure::undescribable).count();
  }

  /** Returns what is open, as a clause. */
  synchronized String status() {
    List<String> parts = new ArrayList<>();
    if (!resources.isEmpty()) {
      parts.add(
          resources.size()
              + (resources.size() == 1 ? " resource" : " resources")
              + " not compared with Asterisk");
    }
    if (!failures.isEmpty()) {
      parts.add(reasons());
    }
    return parts.isEmpty() ? "waiting for Asterisk" : String.join(", ", parts);
  }

  /** The reasons of the first failures. */
  private String reasons() {
    List<String> reasons = failures.values().stream().map(Failure::reason).distinct().toList();
    return String.join(", ", reasons.subList(0, Math.min(reasons.size(), MAX_LOGGED_FAILURES)))
        + (reasons.size() > MAX_LOGGED_FAILURES ? ", …" : "");
  }

  /**
   * Logs failures when they change, and once a minute.
   *
   * @param delay until the next attempt
   */
  synchronized void logFailures(Duration delay) {
    String status = status();
    if (status.equals(loggedStatus)
        && Moment.now().since(failuresLogged).compareTo(FAILURE_LOG_INTERVAL) < 0) {
      return;
    }
    loggedStatus = status;
    failuresLogged = Moment.now();
    if (failures.values().stream().allMatch(Failure::undescribable)) {
      LOG.warn(
          "Asterisk cannot describe {} of the resources: {}; all others are compared. End what it"
              + " cannot describe in Asterisk (core show channels concise); querying again in {} s",
          failures.size(),
          reasons(),
          delay.toSeconds());
    } else {
      LOG.warn(
          "Resync incomplete: {}; retrying in {} s. If this persists, check Asterisk's log, ari.url"
              + " and the permissions of the proxy's user in ari.conf",
          status,
          delay.toSeconds());
    }
  }
}
