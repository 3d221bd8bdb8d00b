/** Meters and the registries that expose them. */
@NullMarked
package io.retel.ariproxy.metrics;

import org.jspecify.annotations.NullMarked;
