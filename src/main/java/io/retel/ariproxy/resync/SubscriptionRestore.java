// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.ari.PathEncoding;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.Subscriptions.Lost;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.text.LogText;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Restores subscriptions and event filters that commands have set and Asterisk has lost. */
final class SubscriptionRestore {

  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionRestore.class);

  /** A request takes Asterisk up to 0.6 s, with 10,000 subscriptions (22.10.1 and 16.28). */
  static final int MAX_LIST_SOURCES = 500;

  /** Below Asterisk's limit of 40,960 for a body. */
  static final int MAX_LIST_BYTES = 32_768;

  /** Status codes that hold for each source: login, permission, application. */
  private static final Set<Integer> SAME_FOR_ALL = Set.of(401, 403, 404);

  /**
   * Time after which an attempt starts no further request, and the next one continues: a slow
   * Asterisk could otherwise prolong an attempt, and what it repeats, for hours.
   */
  static final Duration MAX_DURATION = Duration.ofSeconds(30);

  private final Subscriptions subscriptions;
  private final StasisApplications stasisApplications;
  private final LongSupplier nanoTime;

  /**
   * What Asterisk has rejected in the attempts of one resync: a later one does not repeat it, since
   * it could otherwise never get to the others. For one thread at a time.
   */
  static final class Progress {

    private final Map<String, Set<String>> sources = new HashMap<>();
    private final Set<String> filters = new HashSet<>();

    private void reject(String application, Collection<String> rejected) {
      sources.computeIfAbsent(application, name -> new HashSet<>()).addAll(rejected);
    }

    private List<String> withoutRejected(Lost lost) {
      Set<String> rejected = sources.getOrDefault(lost.application(), Set.of());
      return lost.sources().stream().filter(source -> !rejected.contains(source)).toList();
    }
  }

  /** One attempt, with counts for its log lines. */
  private final class Attempt {

    private final AriClient client;
    private final Progress progress;
    private final long startNanos = nanoTime.getAsLong();
    private int subscriptions;
    private int filters;
    private int failed;
    private String firstFailure = "";

    Attempt(AriClient client, Progress progress) {
      this.client = client;
      this.progress = progress;
    }

    /** Ends the attempt once it has taken too long; between two sources, so that each has some. */
    void checkDuration() throws IOException {
      if (nanoTime.getAsLong() - startNanos >= MAX_DURATION.toNanos()) {
        throw new IOException(
            "%d after %d s, the others follow"
                .formatted(subscriptions + filters, MAX_DURATION.toSeconds()));
      }
    }

    /** Subscribes with one request, or with single ones if Asterisk rejects a source. */
    void subscribe(String application, List<String> sources) throws IOException {
      int status = client.send("POST", path(application) + "/subscription", body(sources)).status();
      if (status / 100 == 2) {
        subscriptions += sources.size();
      } else if (sources.size() == 1 || SAME_FOR_ALL.contains(status)) {
        if (status < 500) {
          progress.reject(application, sources);
        }
        onFailure(sources.size(), status, sources.get(0));
      } else {
        // it is subscribed to those before the rejected one; Asterisk counts repeated subscriptions
        List<String> missing = missing(client, application, sources);
        subscriptions += sources.size() - missing.size();
        for (int i = 0; i < missing.size(); i++) {
          if (i > 0) {
            checkDuration();
          }
          subscribe(application, missing.subList(i, i + 1));
        }
      }
    }

    void setEventFilter(String application, String filter) throws IOException {
      int status = client.send("PUT", path(application) + "/eventFilter", filter).status();
      if (status / 100 == 2) {
        filters++;
      } else {
        progress.filters.add(application);
        onFailure(1, status, filter);
      }
    }

    private void onFailure(int count, int status, String example) {
      if (failed == 0) {
        firstFailure =
            "status " + status + ", " + LogText.abbreviate(PayloadMasker.maskedSource(example));
      }
      failed += count;
    }

    void log() {
      if (subscriptions + filters > 0) {
        LOG.info(
            "Restored at Asterisk: {} subscriptions, {} event filters", subscriptions, filters);
      }
      if (failed > 0) {
        LOG.warn(
            "Restore failed for {} subscriptions and event filters, the first with {}; commands"
                + " must set them again",
            failed,
            firstFailure);
      }
    }
  }

  SubscriptionRestore(Subscriptions subscriptions, StasisApplications stasisApplications) {
    this(subscriptions, stasisApplications, System::nanoTime);
  }

  /**
   * @param nanoTime the clock, in nanoseconds
   */
  SubscriptionRestore(
      Subscriptions subscriptions, StasisApplications stasisApplications, LongSupplier nanoTime) {
    this.subscriptions = subscriptions;
    this.stasisApplications = stasisApplications;
    this.nanoTime = nanoTime;
  }

  /** Records the event filters that Asterisk lists in the response to {@code GET /applications}. */
  void observeFilters(JsonNode applications) {
    subscriptions.observeFilters(applications, stasisApplications.own());
  }

  /**
   * Sends the requests and logs the results. The first one without a response is the last, and none
   * starts after {@link #MAX_DURATION}.
   *
   * @param applications response to {@code GET /applications}
   * @param progress of the attempts of the same resync
   * @return why something is not restored yet, as a clause, or empty
   */
  String restore(AriClient client, JsonNode applications, Progress progress) {
    Attempt attempt = new Attempt(client, progress);
    try {
      for (Lost lost : subscriptions.lost(applications, stasisApplications::isLost)) {
        for (List<String> list : lists(progress.withoutRejected(lost))) {
          attempt.checkDuration();
          attempt.subscribe(lost.application(), list);
        }
        if (lost.eventFilter() != null && !progress.filters.contains(lost.application())) {
          attempt.checkDuration();
          attempt.setEventFilter(lost.application(), lost.eventFilter());
        }
      }
      return "";
    } catch (IOException e) {
      return "subscriptions not restored: " + ErrorMessages.singleLine(e);
    } finally {
      attempt.log();
    }
  }

  private static List<String> missing(AriClient client, String application, List<String> sources)
      throws IOException {
    Answer answer = Answer.ofApplication(client, path(application));
    if (answer.json() == null) {
      throw new IOException(answer.problem());
    }
    return Subscriptions.unlisted(answer.json(), sources);
  }

  /** Returns the sources in lists that Asterisk accepts in one request. */
  private static List<List<String>> lists(List<String> sources) {
    List<List<String>> lists = new ArrayList<>();
    List<String> list = new ArrayList<>();
    int bytes = 0;
    for (String source : sources) {
      int sourceBytes = Subscriptions.jsonBytes(source);
      if (!list.isEmpty()
          && (list.size() == MAX_LIST_SOURCES || bytes + sourceBytes > MAX_LIST_BYTES)) {
        lists.add(list);
        list = new ArrayList<>();
        bytes = 0;
      }
      list.add(source);
      bytes += sourceBytes;
    }
    if (!list.isEmpty()) {
      lists.add(list);
    }
    return lists;
  }

  private static String body(List<String> sources) {
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    if (sources.size() == 1) {
      // not longer than that of the command
      body.put("eventSource", sources.get(0));
    } else {
      sources.forEach(body.putArray("eventSource")::add);
    }
    return body.toString();
  }

  private static String path(String application) {
    return "/applications/" + PathEncoding.encode(application);
  }
}
