/** Tracing of a call's messages: Camel's tracers and OpenTelemetry. */
@NullMarked
package io.retel.ariproxy.tracing;

import org.jspecify.annotations.NullMarked;
