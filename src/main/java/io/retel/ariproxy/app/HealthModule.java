// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.SettingsFileChange;
import io.retel.ariproxy.health.AsteriskProbe;
import io.retel.ariproxy.health.EssentialThreads;
import io.retel.ariproxy.health.HealthChecks;
import io.retel.ariproxy.health.KafkaProbe;
import io.retel.ariproxy.health.ManagementPort;
import io.retel.ariproxy.health.Probe;
import io.retel.ariproxy.health.ProxyHealthCheck;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.route.BlockedStepMonitor;
import io.retel.ariproxy.route.RejectedRouteFiles;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.camel.CamelContext;

/** Health: the checks of all modules, and the probes of Asterisk and Kafka. */
final class HealthModule {

  /** Its requests have timeouts, but their number depends on the state of the topics. */
  private static final Duration MAX_KAFKA_CHECK = Duration.ofMinutes(1);

  private static final Duration MARGIN = Duration.ofSeconds(2);

  private final List<Probe> probes;

  HealthModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      Lifecycle lifecycle,
      StartupGate startupGate,
      KafkaModule kafka,
      AsteriskModule asterisk,
      CallContextModule callContexts,
      ResyncModule resync,
      CommandModule commands,
      EssentialThreads threads,
      RejectedRouteFiles rejectedRouteFiles,
      BlockedStepMonitor blockedSteps) {
    HealthChecks checks =
        new HealthChecks(context, meters)
            .add(threads)
            .add(
                new ProxyHealthCheck(
                    "startup",
                    startupGate::unmetPrecondition,
                    () ->
                        Map.of(
                            "state", lifecycle.state().name(),
                            "since", lifecycle.stateSince().toString())));
    asterisk.addHealthChecks(checks);
    callContexts.addHealthChecks(checks);
    resync.addHealthChecks(checks);
    checks.addNotice("kafka-quota", kafka.throttling()::describe);
    checks.addNotice(
        "settings-file", new SettingsFileChange(Path.of(Setting.CONFIGURATION_FILE))::describe);
    checks.addNotice("route-files", rejectedRouteFiles::describe);
    checks.addNotice("route-steps", blockedSteps::describe);
    InFlightLimiter inFlightLimiter = kafka.inFlightLimiter();
    // always: also creates topics that are deleted
    KafkaProbe kafkaCheck = kafka.probe(startupGate::unmetPrecondition);
    Probe kafkaProbe = new Probe("kafka-probe", kafkaCheck, MAX_KAFKA_CHECK);
    if (!ManagementPort.isEnabled(settings)) {
      this.probes = List.of(kafkaProbe);
      commands.addHealthChecks(checks, Optional::empty);
      checks.addDependency(
          "kafka", () -> kafka.topics().missingAcls().or(inFlightLimiter::stallReason));
      return;
    }
    // only with a management port, since it queries Asterisk even when idle
    Probe asteriskProbe =
        new Probe(
            "asterisk-probe",
            new AsteriskProbe(asterisk.newClient(), settings.get(Setting.ARI_URL)),
            new CommandTimeouts(settings).maxRequest().plus(MARGIN));
    this.probes = List.of(asteriskProbe, kafkaProbe);
    commands.addHealthChecks(checks, kafkaCheck::openTransactions);
    // missing topics have just been created
    startupGate.onReady(kafkaProbe::trigger);
    checks.addDependency("ari-rest", asteriskProbe::lastError);
    checks.addAgeGauge("ari-rest", asteriskProbe::age);
    checks.addAgeGauge("kafka", kafkaProbe::age);
    checks.addDependency(
        "kafka",
        () ->
            kafka
                .topics()
                .missingAcls()
                .or(inFlightLimiter::stallReason)
                .or(kafkaProbe::lastError));
  }

  /** Returns the services that query Asterisk and Kafka. */
  List<Probe> probes() {
    return probes;
  }
}
