// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.command.CommandProperties;
import io.retel.ariproxy.component.ahcws.AhcWsConstants;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.envelope.Envelopes;
import io.retel.ariproxy.event.BuildEventEnvelope;
import io.retel.ariproxy.event.DropEvent;
import io.retel.ariproxy.event.HandleInternalEvent;
import io.retel.ariproxy.event.HandleLostEvent;
import io.retel.ariproxy.event.HandleMalformedEvent;
import io.retel.ariproxy.event.ParseEvent;
import io.retel.ariproxy.event.ReplacementListener;
import io.retel.ariproxy.event.ResolveCallContext;
import io.retel.ariproxy.route.ConditionalRoutePolicy;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.spi.Registry;

/** Events: the steps from the websocket to the envelope. */
final class EventModule {

  /** The route that must have the policy. */
  static final String ROUTE = "events";

  /** The name of the policy that starts events after startup. */
  static final String POLICY = "startupGatePolicy";

  private final HandleLostEvent handleLostEvent;
  private final DropEvent dropEvent;

  /**
   * @param onReplaced runs when other clients have taken over all Stasis applications
   */
  EventModule(
      CamelContext context,
      Settings settings,
      MeterRegistry meters,
      TracingModule tracing,
      KafkaModule kafka,
      AsteriskModule asterisk,
      CallContextModule callContexts,
      StartupGate startupGate,
      Envelopes envelopes,
      Runnable onReplaced) {
    this.handleLostEvent = new HandleLostEvent(meters);
    Registry registry = context.getRegistry();
    registry.bind(
        POLICY,
        new ConditionalRoutePolicy(
            startupGate::isReady, "topics exist and call contexts are restored"));
    registry.bind("parseEvent", new ParseEvent());
    asterisk.setEventListener(
        new ReplacementListener(
            settings.get(Setting.ARI_URL).toString(),
            callContexts.applications(),
            asterisk::reopenIfDisplaced,
            onReplaced));
    registry.bind("handleInternalEvent", new HandleInternalEvent(meters));
    registry.bind(
        "resolveCallContext",
        new ResolveCallContext(callContexts.rules(), meters, kafka.inFlightEvents()));
    // not used by the shipped routes; for edited ones
    this.dropEvent = new DropEvent(meters);
    registry.bind("dropEvent", dropEvent);
    registry.bind(
        "buildEventEnvelope",
        new BuildEventEnvelope(
            envelopes, meters, handleLostEvent, kafka.inFlightEvents(), tracing.payloadLog()));
    registry.bind("handleMalformedEvent", new HandleMalformedEvent(meters));
    registry.bind("handleLostEvent", handleLostEvent);
  }

  /** Counts what a {@code stop} step of an author has ended, if it is an event of Asterisk. */
  void countStopped(Exchange exchange) {
    if (CommandProperties.command(exchange) == null
        && exchange.getMessage().getHeader(AhcWsConstants.EVENT) == null) {
      dropEvent.countStopped();
    }
  }

  HandleLostEvent handleLostEvent() {
    return handleLostEvent;
  }
}
