/**
 * Log context and masking: call context, command and resource in the MDC, payload logs, and masked
 * personal data.
 */
@NullMarked
package io.retel.ariproxy.logging;

import org.jspecify.annotations.NullMarked;
