/** HTTP interface for operators and their tools: health checks and metrics. */
package io.retel.ariproxy.health;
