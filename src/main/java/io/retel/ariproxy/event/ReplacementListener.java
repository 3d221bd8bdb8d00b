// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.event;

import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.MalformedEventException;
import io.retel.ariproxy.callcontext.StasisApplications;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Records which Stasis applications other clients take over (docs/contract.md#fencing).
 *
 * <p>Receives each message as it arrives, on the websocket's thread. The route can be far behind:
 * the websocket would reconnect with the application, and only then lose it.
 */
public final class ReplacementListener implements Consumer<String> {

  private static final Logger LOG = LoggerFactory.getLogger(ReplacementListener.class);

  private static final String TYPE = "ApplicationReplaced";
  private static final String JSON_TYPE = '"' + TYPE + '"';

  private final String ariUrl;
  private final StasisApplications applications;
  private final BooleanSupplier reopenIfDisplaced;
  private final Runnable onReplaced;

  /**
   * @param ariUrl the ARI url, for the log
   * @param reopenIfDisplaced reopens the websocket if an earlier request of the proxy can be the
   *     other client, and returns whether it does
   * @param onReplaced stops the proxy once it has lost all applications: reconnecting would
   *     disconnect the other client
   */
  public ReplacementListener(
      String ariUrl,
      StasisApplications applications,
      BooleanSupplier reopenIfDisplaced,
      Runnable onReplaced) {
    this.ariUrl = ariUrl;
    this.applications = applications;
    this.reopenIfDisplaced = reopenIfDisplaced;
    this.onReplaced = onReplaced;
  }

  @Override
  public void accept(String text) {
    if (!text.contains(JSON_TYPE)) {
      return;
    }
    try {
      AriEvent event = AriEvent.parse(text);
      if (event.type().equals(TYPE) && applications.isConfigured(event.application())) {
        onReplaced(event.application());
      }
    } catch (MalformedEventException e) {
      // the route reports it
    }
  }

  private void onReplaced(String application) {
    if (applications.isLost(application)) {
      return;
    }
    if (reopenIfDisplaced.getAsBoolean()) {
      LOG.warn(
          "A request of this proxy that {} had not answered in time has taken over the Stasis"
              + " application {}; reopening the websocket",
          ariUrl,
          application);
      return;
    }
    if (applications.lose(application)) {
      LOG.error(
          "Another client of {} has taken over the Stasis application {}; continuing with {}. Stop"
              + " the other client, then invoke reclaim (JMX) or restart",
          ariUrl,
          application,
          String.join(",", applications.own()));
      return;
    }
    LOG.error(
        "Another client of {} has taken over the Stasis application {}; stopping. Stop the second"
            + " ari-proxy with this ari.app, or the other ARI client, then restart",
        ariUrl,
        application);
    onReplaced.run();
  }
}
