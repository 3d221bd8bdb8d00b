// SPDX-License-Identifier: Apache-2.0
/**
 * Time that survives steps of the system clock.
 *
 * <p>NTP and a resumed virtual machine set the system clock back or forward. So a duration between
 * two moments of this process comes from the monotonic clock; an {@code Instant} is only displayed,
 * or compared with a timestamp of another machine.
 */
@NullMarked
package io.retel.ariproxy.time;

import org.jspecify.annotations.NullMarked;
