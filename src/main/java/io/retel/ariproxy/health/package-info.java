/** HTTP interface for operators and their tools: health checks and metrics. */
@NullMarked
package io.retel.ariproxy.health;

import org.jspecify.annotations.NullMarked;
