/** Tracing of a call's messages: Camel's tracers and OpenTelemetry. */
package io.retel.ariproxy.tracing;
