// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.resync.FindMissedEvents;
import io.retel.ariproxy.resync.Gap;
import io.retel.ariproxy.resync.HandleResyncFailure;
import io.retel.ariproxy.resync.MediaLookup;
import io.retel.ariproxy.resync.PublishMissedEvents;
import io.retel.ariproxy.resync.RecordGapStart;
import io.retel.ariproxy.resync.ResyncRetry;
import io.retel.ariproxy.resync.SkipDuplicateEvent;
import io.retel.ariproxy.resync.StartResync;
import io.retel.ariproxy.resync.SubscriptionRestore;
import io.retel.ariproxy.resync.SyntheticEventLog;
import java.time.Duration;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.Registry;

/** Resync: the steps that publish the events missed during a gap. */
final class ResyncModule {

  /** How long an event from Asterisk can follow the synthetic event that it duplicates. */
  private static final Duration LATE_EVENT_WINDOW = Duration.ofMinutes(1);

  private final CallContexts callContexts;
  private final Gap gap = new Gap();

  ResyncModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      KafkaModule kafka,
      AsteriskModule asterisk,
      CallContextModule callContextModule) {
    this.callContexts = callContextModule.callContexts();
    SyntheticEventLog syntheticEventLog =
        new SyntheticEventLog(callContexts, LATE_EVENT_WINDOW, Ticker.systemTicker());
    Registry registry = context.getRegistry();
    registry.bind("skipDuplicate", new SkipDuplicateEvent(syntheticEventLog, meters));
    registry.bind("recordGapStart", new RecordGapStart(gap, callContexts));
    registry.bind("startResync", new StartResync(callContexts));
    registry.bind("listMedia", MediaLookup.listMedia());
    registry.bind("buildMediaRequest", MediaLookup.buildRequest());
    registry.bind("recordEndedMedia", MediaLookup.recordEndedMedia());
    registry.bind(
        "findMissedEvents",
        new FindMissedEvents(
            callContexts,
            callContextModule.rules(),
            settings.get(Setting.ARI_APP),
            gap,
            syntheticEventLog,
            kafka.inFlightEvents(),
            meters));
    registry.bind("publishMissed", new PublishMissedEvents(meters));
    registry.bind(
        "listMissingSubscriptions",
        SubscriptionRestore.listMissing(callContextModule.subscriptions()));
    registry.bind("buildSubscriptionRequest", SubscriptionRestore.buildRequest());
    registry.bind("checkSubscriptionResponse", SubscriptionRestore.logResult());
    registry.bind(
        "handleResyncFailure",
        new HandleResyncFailure(meters, new ResyncRetry(context, asterisk::requestResync)));
  }

  /** Begins the gap that ends with the first connect: the restored call contexts are in it. */
  void beginGap() {
    gap.begin(null, callContexts.activeCallContexts());
  }
}
