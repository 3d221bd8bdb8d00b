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
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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

  private final Subscriptions subscriptions;
  private final StasisApplications stasisApplications;

  /** Counts of one restore, for its log lines. */
  private static final class Summary {

    private int subscriptions;
    private int filters;
    private int failed;
    private String firstFailure = "";

    void onFailure(int count, int status, String example) {
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
    this.subscriptions = subscriptions;
    this.stasisApplications = stasisApplications;
  }

  /** Records the event filters that Asterisk lists in the response to {@code GET /applications}. */
  void observeFilters(JsonNode applications) {
    subscriptions.observeFilters(applications, stasisApplications.own());
  }

  /**
   * Sends the requests and logs the results. The first one without a response is the last.
   *
   * @param applications response to {@code GET /applications}
   * @return why a request has no response, as a clause, or empty
   */
  String restore(AriClient client, JsonNode applications) {
    Summary summary = new Summary();
    try {
      for (Lost lost : subscriptions.lost(applications, stasisApplications::isLost)) {
        for (List<String> list : lists(lost.sources())) {
          subscribe(client, lost.application(), list, summary);
        }
        if (lost.eventFilter() != null) {
          setEventFilter(client, lost.application(), lost.eventFilter(), summary);
        }
      }
      return "";
    } catch (IOException e) {
      return "subscriptions not restored: " + ErrorMessages.singleLine(e);
    } finally {
      summary.log();
    }
  }

  /** Subscribes with one request, or with single ones if Asterisk rejects a source. */
  private static void subscribe(
      AriClient client, String application, List<String> sources, Summary summary)
      throws IOException {
    int status = client.send("POST", path(application) + "/subscription", body(sources)).status();
    if (status / 100 == 2) {
      summary.subscriptions += sources.size();
    } else if (sources.size() == 1 || SAME_FOR_ALL.contains(status)) {
      summary.onFailure(sources.size(), status, sources.get(0));
    } else {
      // it is subscribed to those before the rejected one; Asterisk counts repeated subscriptions
      List<String> missing = missing(client, application, sources);
      summary.subscriptions += sources.size() - missing.size();
      for (String source : missing) {
        subscribe(client, application, List.of(source), summary);
      }
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

  private static void setEventFilter(
      AriClient client, String application, String filter, Summary summary) throws IOException {
    int status = client.send("PUT", path(application) + "/eventFilter", filter).status();
    if (status / 100 == 2) {
      summary.filters++;
    } else {
      summary.onFailure(1, status, filter);
    }
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
