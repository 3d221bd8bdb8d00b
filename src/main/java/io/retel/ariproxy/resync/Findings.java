// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.time.Moment;
import java.util.List;
import java.util.Set;

/**
 * What a resync has learned from Asterisk since its last findings.
 *
 * @param connectedAt when the websocket connected
 * @param asteriskId {@code asterisk_id} of Asterisk's events; empty if still unknown, without
 *     observations
 * @param startupTime Asterisk's start time in its format; empty if unknown
 * @param observations the resources that Asterisk has described
 * @param pendingCalls call contexts with channels or bridges of which Asterisk will soon respond
 * @param late whether events were published since the connect
 */
record Findings(
    Moment connectedAt,
    String asteriskId,
    String startupTime,
    List<Observation> observations,
    Set<String> pendingCalls,
    boolean late) {}
