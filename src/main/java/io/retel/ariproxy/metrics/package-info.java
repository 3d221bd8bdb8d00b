/** Meters and the registries that expose them. */
package io.retel.ariproxy.metrics;
