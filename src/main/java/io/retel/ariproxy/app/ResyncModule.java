// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.http.RequestLimit;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.component.ahcws.AhcWsConstants;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.health.HealthChecks;
import io.retel.ariproxy.health.ProxyHealthCheck;
import io.retel.ariproxy.resync.ApplicationsRequest;
import io.retel.ariproxy.resync.FindMissedEvents;
import io.retel.ariproxy.resync.Gap;
import io.retel.ariproxy.resync.HandleResyncFailure;
import io.retel.ariproxy.resync.MappingComparison;
import io.retel.ariproxy.resync.PublishMissedEvents;
import io.retel.ariproxy.resync.RecordGapStart;
import io.retel.ariproxy.resync.ResourceLookup;
import io.retel.ariproxy.resync.Resync;
import io.retel.ariproxy.resync.SkipDuplicateEvent;
import io.retel.ariproxy.resync.StartResync;
import io.retel.ariproxy.resync.SyntheticEventLog;
import io.retel.ariproxy.route.BlockedStepMonitor;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.LifecycleStrategySupport;

/** Resync: the steps that publish the events missed during a gap. */
final class ResyncModule {

  /** How long an event from Asterisk can follow the synthetic event that it duplicates. */
  private static final Duration LATE_EVENT_WINDOW = Duration.ofMinutes(1);

  /** Requests at once; those of a resync also within commands.max-concurrency. */
  private static final int MAX_REQUESTS = 8;

  private final CallContexts callContexts;
  private final Resync resync;
  private final Gap gap = new Gap();
  private final MappingComparison mappingComparison;
  private final PublishMissedEvents publishMissedEvents;

  ResyncModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      KafkaModule kafka,
      AsteriskModule asterisk,
      CallContextModule callContextModule) {
    this.callContexts = callContextModule.callContexts();
    RequestLimit requestLimit = new RequestLimit(MAX_REQUESTS);
    this.resync =
        new Resync(
            context,
            callContexts,
            callContextModule.subscriptions(),
            callContextModule.applications(),
            settings.get(Setting.ARI_RESYNC_TIMEOUT),
            // one for subscriptions, which resources do not wait for
            Math.max(2, Math.min(MAX_REQUESTS, settings.get(Setting.COMMANDS_MAX_CONCURRENCY))),
            () -> asterisk.newClient(requestLimit),
            new ApplicationsRequest(
                asterisk.newClientWithoutResponseTimeout(requestLimit),
                requestLimit,
                settings.get(Setting.ARI_RESPONSE_TIMEOUT)),
            () -> asterisk.fireConnectionEvent(Resync.FINDINGS),
            () -> asterisk.fireConnectionEvent(AhcWsConstants.CONNECTED),
            meters);
    context.addLifecycleStrategy(
        new LifecycleStrategySupport() {
          @Override
          public void onContextStopping(CamelContext stopping) {
            // the events that are already read do not wait for Asterisk
            resync.close();
          }
        });
    SyntheticEventLog syntheticEventLog =
        new SyntheticEventLog(callContexts, LATE_EVENT_WINDOW, Ticker.systemTicker());
    Registry registry = context.getRegistry();
    registry.bind("skipDuplicate", new SkipDuplicateEvent(syntheticEventLog, meters));
    registry.bind("recordGapStart", new RecordGapStart(gap, callContexts, resync));
    registry.bind("startResync", new StartResync(resync));
    registry.bind(
        "findMissedEvents",
        new FindMissedEvents(
            callContexts,
            callContextModule.rules(),
            callContextModule.subscriptions(),
            callContextModule.applications(),
            gap,
            resync,
            syntheticEventLog,
            kafka.inFlightEvents(),
            meters));
    this.publishMissedEvents = new PublishMissedEvents(meters);
    registry.bind("publishMissed", publishMissedEvents);
    registry.bind("handleResyncFailure", new HandleResyncFailure(resync));
    this.mappingComparison =
        new MappingComparison(
            context,
            callContexts,
            callContextModule.applications(),
            new ResourceLookup(asterisk.newClient(requestLimit)),
            asterisk::hasReceivedAll,
            () -> asterisk.isConnected() && resync.isEnded(),
            settings.get(Setting.CALLCONTEXT_COMPARISON_INTERVAL),
            MappingComparison.MAX_WAIT,
            meters);
  }

  void addHealthChecks(HealthChecks checks) {
    checks.add(
        new ProxyHealthCheck(
            "resync",
            resync::problem,
            () -> Map.of("pending", resync.pending(), "undescribable", resync.undescribable())));
  }

  /** Returns the event that a resync is publishing, for a monitor. */
  Optional<BlockedStepMonitor.Current> publishingEvent() {
    return publishMissedEvents.current();
  }

  /** Returns the service that ends mappings between resyncs. */
  MappingComparison mappingComparison() {
    return mappingComparison;
  }

  /** Begins the gap that ends with the first connect: the restored call contexts are in it. */
  void beginGap() {
    gap.begin(null, callContexts.activeCallContexts());
  }
}
