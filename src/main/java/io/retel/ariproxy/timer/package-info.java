// SPDX-License-Identifier: Apache-2.0
/** Periodic checks on few threads, and tasks whose thread exists while they run. */
@NullMarked
package io.retel.ariproxy.timer;

import org.jspecify.annotations.NullMarked;
