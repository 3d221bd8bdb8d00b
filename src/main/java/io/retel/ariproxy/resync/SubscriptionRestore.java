// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.Subscriptions.Request;
import io.retel.ariproxy.error.ErrorMessages;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Restores subscriptions and event filters that commands have set and Asterisk has lost. */
final class SubscriptionRestore {

  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionRestore.class);

  private final Subscriptions subscriptions;
  private final StasisApplications stasisApplications;

  SubscriptionRestore(Subscriptions subscriptions, StasisApplications stasisApplications) {
    this.subscriptions = subscriptions;
    this.stasisApplications = stasisApplications;
  }

  /** Records the event filters that Asterisk lists in the response to {@code GET /applications}. */
  void observeFilters(JsonNode applications) {
    subscriptions.observeFilters(applications);
  }

  /**
   * Sends the requests and logs the results. The first one without a response is the last.
   *
   * @param applications response to {@code GET /applications}
   * @return why a request has no response, as a clause, or empty
   */
  String restore(AriClient client, JsonNode applications) {
    try {
      for (Request request :
          subscriptions.restoreRequests(applications.toString(), stasisApplications::isLost)) {
        int status = client.send(request.method(), request.path(), request.body()).status();
        logResult(request, status);
      }
      return "";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      return "subscriptions not restored: " + ErrorMessages.singleLine(e);
    }
  }

  private static void logResult(Request request, int status) {
    if (status / 100 == 2) {
      LOG.info("Restored at Asterisk: {} {} {}", request.method(), request.path(), request.body());
    } else {
      LOG.warn(
          "Restore failed with status {}: {} {} {}; a command must set it again",
          status,
          request.method(),
          request.path(),
          request.body());
    }
  }
}
