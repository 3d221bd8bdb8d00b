// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.time.Moment;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.camel.CamelContext;
import org.apache.camel.util.concurrent.SizedScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * The resync after the latest connect. It delays events at most for a timeout; what Asterisk
 * responds later is published between newer events (docs/contract.md#resync). Thread-safe.
 */
public final class Resync implements AutoCloseable {

  /** The connection event on which the events route takes late findings. */
  public static final String FINDINGS = "RESYNC_FINDINGS";

  private static final Duration FIRST_RETRY_DELAY = Duration.ofSeconds(1);
  private static final int MAX_DOUBLINGS = 6;

  private final CamelContext context;
  private final CallContexts callContexts;
  private final SubscriptionRestore subscriptions;
  private final StasisApplications applications;
  private final Duration timeout;
  private final int concurrency;
  private final Supplier<AriClient> newClient;
  private final ApplicationsRequest applicationsRequest;
  private final Runnable requestFindings;
  private final Runnable requestResync;
  private final Counter failures;

  private @Nullable ScheduledExecutorService timer;
  private volatile @Nullable AsteriskQuery query;

  /** Whether a resync must complete: before the first one, since a gap, or since a failure. */
  private volatile boolean due = true;

  private @Nullable ExecutorService requests;
  private String asteriskId = "";

  /** Those since the last success. */
  private volatile int failedPublications;

  private @Nullable Future<?> retry;
  private boolean closed;

  /**
   * @param applications the proxy's Stasis applications
   * @param timeout how long events wait
   * @param concurrency number of concurrent requests
   * @param newClient returns a client for one resync
   * @param applicationsRequest of all resyncs; closed with this
   * @param requestFindings makes the events route take the findings, in order with the events
   * @param requestResync makes the events route start another resync
   */
  public Resync(
      CamelContext context,
      CallContexts callContexts,
      Subscriptions subscriptions,
      StasisApplications applications,
      Duration timeout,
      int concurrency,
      Supplier<AriClient> newClient,
      ApplicationsRequest applicationsRequest,
      Runnable requestFindings,
      Runnable requestResync,
      MeterRegistry meters) {
    this.context = context;
    this.callContexts = callContexts;
    this.subscriptions = new SubscriptionRestore(subscriptions, applications);
    this.applications = applications;
    this.timeout = timeout;
    this.concurrency = concurrency;
    this.newClient = newClient;
    this.applicationsRequest = applicationsRequest;
    this.requestFindings = requestFindings;
    this.requestResync = requestResync;
    this.failures = Meters.RESYNC_FAILURES.counter(meters);
    Meters.RESYNC_PENDING.gauge(meters, this::pending);
    Meters.RESYNC_UNDESCRIBABLE.gauge(meters, this::undescribable);
  }

  /** Starts a resync in place of the previous one, and waits for its first findings. */
  void start(Moment connectedAt) throws InterruptedException {
    AsteriskQuery started = replaceQuery(connectedAt);
    if (started != null) {
      started.start();
      started.awaitFirstAttempt(timeout);
    }
  }

  private synchronized @Nullable AsteriskQuery replaceQuery(Moment connectedAt) {
    abort();
    if (closed) {
      return null;
    }
    ScheduledExecutorService currentTimer = timer();
    ExecutorService pool =
        context.getExecutorServiceManager().newFixedThreadPool(this, "resync-query", concurrency);
    AsteriskQuery started =
        new AsteriskQuery(
            connectedAt,
            callContexts,
            applications,
            asteriskId,
            newClient.get(),
            applicationsRequest,
            pool,
            currentTimer,
            subscriptions,
            new DescriptionHeap(),
            new AsteriskQuery.Listener() {
              @Override
              public void onFindings() {
                requestFindings.run();
              }

              @Override
              public void onFailedAttempt() {
                failures.increment();
              }
            });
    query = started;
    requests = pool;
    return started;
  }

  /** Returns the current query, or null. */
  @Nullable AsteriskQuery query() {
    return query;
  }

  /**
   * Ends the resync if everything is known.
   *
   * @param lastAsteriskId the latest {@code asterisk_id}, or empty
   * @return whether it has ended
   */
  synchronized boolean endIfComplete(AsteriskQuery current, String lastAsteriskId) {
    failedPublications = 0;
    asteriskId = lastAsteriskId;
    if (query != current || !current.isComplete()) {
      return false;
    }
    abort();
    due = false;
    return true;
  }

  /** Aborts the resync, since another one follows. */
  synchronized void abort() {
    due = true;
    if (retry != null) {
      retry.cancel(false);
      retry = null;
    }
    AsteriskQuery current = query;
    query = null;
    if (current != null) {
      current.close();
    }
    if (requests != null) {
      context.getExecutorServiceManager().shutdownNow(requests);
      requests = null;
    }
  }

  /**
   * Schedules another resync, since findings were not published.
   *
   * @return the delay, which grows until a resync completes
   */
  synchronized Duration retry() {
    int before = failedPublications;
    failedPublications = before + 1;
    Duration delay = FIRST_RETRY_DELAY.multipliedBy(1L << Math.min(before, MAX_DOUBLINGS));
    failures.increment();
    abort();
    if (!closed) {
      retry = timer().schedule(requestResync, delay.toMillis(), TimeUnit.MILLISECONDS);
    }
    return delay;
  }

  /** Returns whether the resync of the latest gap is complete. */
  public boolean isEnded() {
    return !due;
  }

  /** Why calls can differ from what was published, as a sentence; empty if they do not. */
  public Optional<String> problem() {
    if (failedPublications > 0) {
      return Optional.of("Resync failed " + failedPublications + " times; see the log");
    }
    AsteriskQuery current = query;
    return current == null || !current.isLate() || current.pending() == 0
        ? Optional.empty()
        : Optional.of("Resync incomplete: " + current.status());
  }

  /** Number of questions that Asterisk has not answered; at least one since a failure. */
  public long pending() {
    AsteriskQuery current = query;
    return Math.max(failedPublications > 0 ? 1 : 0, current == null ? 0 : current.pending());
  }

  /** Number of resources that Asterisk cannot describe. */
  public long undescribable() {
    AsteriskQuery current = query;
    return current == null ? 0 : current.undescribable();
  }

  private ScheduledExecutorService timer() {
    if (timer == null) {
      timer =
          context
              .getExecutorServiceManager()
              .newSingleThreadScheduledExecutor(this, "resync-timer");
      if (timer instanceof SizedScheduledExecutorService sized) {
        ScheduledThreadPoolExecutor executor = sized.getScheduledThreadPoolExecutor();
        executor.setRemoveOnCancelPolicy(true);
        // otherwise stopping would wait for pending retries
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
      }
    }
    return timer;
  }

  /** Aborts the resync and prevents others, so that a shutdown does not wait for Asterisk. */
  @Override
  public synchronized void close() {
    closed = true;
    abort();
    applicationsRequest.close();
    if (timer != null) {
      context.getExecutorServiceManager().shutdownNow(timer);
    }
  }
}
