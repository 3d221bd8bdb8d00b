// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import java.time.Duration;

/**
 * The messages of a group that consumers are processing or that wait for them.
 *
 * @param group the group's name
 * @param hanging number of messages in process without a result for longer than normal: a tenth of
 *     {@code groupTimeout}
 * @param oldest time since the first of those in process without a result started; zero if none is
 * @param waiting number of messages that could start, if their group had a free consumer
 */
public record GroupActivity(String group, int hanging, Duration oldest, int waiting) {}
