// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.logging.ExchangeContext;
import io.retel.ariproxy.logging.MaskPayload;
import io.retel.ariproxy.logging.PayloadLog;
import io.retel.ariproxy.logging.PayloadMasker;
import io.retel.ariproxy.tracing.LogTracer;
import io.retel.ariproxy.tracing.MaskedBacklogTracer;
import io.retel.ariproxy.tracing.OpenTelemetryTracing;
import org.apache.camel.CamelContext;

/** Payloads in the log and in tracers, with secrets masked. */
final class TracingModule {

  private final PayloadLog payloadLog;

  TracingModule(CamelContext context, Settings settings) throws Exception {
    PayloadMasker masker = new PayloadMasker(settings.get(Setting.LOGGING_MASK));
    this.payloadLog = new PayloadLog(masker);
    context.getRegistry().bind("maskPayload", new MaskPayload());
    context.getCamelContextExtension().addInterceptStrategy(new ExchangeContext());
    // Camel finds it by type and uses it as its tracer
    context.getRegistry().bind("logTracer", new LogTracer(masker));
    context.addStartupListener(
        (startedContext, alreadyStarted) -> MaskedBacklogTracer.register(startedContext, masker));
    if (settings.get(Setting.TRACING_OPENTELEMETRY)) {
      OpenTelemetryTracing.install(context);
    }
  }

  PayloadLog payloadLog() {
    return payloadLog;
  }
}
