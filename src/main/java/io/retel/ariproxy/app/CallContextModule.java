// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import com.github.benmanes.caffeine.cache.Ticker;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.StasisApplications;
import io.retel.ariproxy.callcontext.StoredSubscriptions;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.store.CallContextStoreProvider;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.health.HealthChecks;
import io.retel.ariproxy.jmx.ManagedCallContexts;
import java.time.InstantSource;
import org.apache.camel.CamelContext;

/** Call contexts and subscriptions, and the store that persists them. */
final class CallContextModule {

  private final WriteBehind store;
  private final CallContexts callContexts;
  private final CallContextRules rules;
  private final Subscriptions subscriptions;
  private final StasisApplications applications;

  CallContextModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Gauges gauges,
      KafkaModule kafka) {
    this.store =
        new WriteBehind(
            CallContextStoreProvider.of(settings)
                .create(settings, kafka::clientConfig, kafka.topics()),
            settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT),
            meters);
    store.setBarrier(kafka.inFlightEvents()::awaitAcknowledged);
    this.callContexts =
        new CallContexts(
            settings.get(Setting.CALLCONTEXT_IDLE_TIMEOUT),
            settings.get(Setting.CALLCONTEXT_GRACE_PERIOD),
            Ticker.systemTicker(),
            store,
            InstantSource.system(),
            HeapLimits.forMappings(Runtime.getRuntime().maxMemory()));
    this.rules = new CallContextRules(callContexts);
    this.subscriptions = new Subscriptions(store);
    this.applications = new StasisApplications(settings.get(Setting.ARI_APP), callContexts);
    // for routes that read it: caffeine-cache:callContexts?createCacheIfNotExist=false
    context.getRegistry().bind("callContexts", callContexts.cache());
    gauges.bindCallContexts(callContexts, store);
    gauges.bindApplications(applications);
    kafka.topics().onCompactedTopicRecreated(this::persistAll);
  }

  /** Returns the service that writes to the store. */
  WriteBehind store() {
    return store;
  }

  CallContexts callContexts() {
    return callContexts;
  }

  CallContextRules rules() {
    return rules;
  }

  Subscriptions subscriptions() {
    return subscriptions;
  }

  StasisApplications applications() {
    return applications;
  }

  /** Reads the store. */
  void restore() throws Exception {
    StoredSubscriptions storedSubscriptions;
    do {
      StoredSubscriptions stored = new StoredSubscriptions(applications.own());
      storedSubscriptions = stored;
      store.readAll(
          (key, storedValue) -> {
            if (key.startsWith(Subscriptions.KEY_PREFIX)) {
              stored.put(key, storedValue);
            } else {
              callContexts.restore(key, storedValue);
            }
          });
    } while (!callContexts.completeRestore());
    storedSubscriptions.restoreTo(subscriptions);
  }

  /** Writes everything to the store again, which has lost its content. */
  private void persistAll() {
    callContexts.persistAll();
    subscriptions.persistAll();
  }

  ManagedCallContexts managedBean() {
    return new ManagedCallContexts(callContexts);
  }

  void addHealthChecks(HealthChecks checks) {
    checks.addDependency(
        "call-context-store",
        () -> store.lastError().map(reason -> "The call-context store " + reason));
    checks.addNotice("mappings", callContexts::fullness);
  }
}
