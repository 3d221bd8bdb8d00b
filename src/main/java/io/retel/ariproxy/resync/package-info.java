/**
 * Resync after a gap: finds and publishes events missed without a websocket
 * (docs/contract.md#outages).
 */
@NullMarked
package io.retel.ariproxy.resync;

import org.jspecify.annotations.NullMarked;
