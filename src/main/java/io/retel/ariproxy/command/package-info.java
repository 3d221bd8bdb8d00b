/**
 * From a command on Kafka to an ARI request, and from its response to a RESPONSE
 * (docs/contract.md#commands).
 */
package io.retel.ariproxy.command;
