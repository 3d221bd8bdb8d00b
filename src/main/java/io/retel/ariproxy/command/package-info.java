/**
 * From a command on Kafka to an ARI request, and from its response to a RESPONSE
 * (docs/contract.md#commands).
 */
@NullMarked
package io.retel.ariproxy.command;

import org.jspecify.annotations.NullMarked;
