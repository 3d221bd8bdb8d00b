/** How the way of one call's messages can be followed: Camel's tracers, and OpenTelemetry. */
package io.retel.ariproxy.tracing;
