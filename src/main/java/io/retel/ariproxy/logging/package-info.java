/**
 * What makes a log line tell whose it is, and keeps out of it what nobody else shall read: call
 * context, command and resource in the MDC, payloads, and the mask over numbers and names.
 */
package io.retel.ariproxy.logging;
