/**
 * Resync after a gap: finds and publishes events missed without a websocket
 * (docs/contract.md#outages).
 */
package io.retel.ariproxy.resync;
