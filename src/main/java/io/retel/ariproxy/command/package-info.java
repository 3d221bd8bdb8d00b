/**
 * From a command on Kafka to a request to ARI, and from its outcome to a RESPONSE (contract.md
 * section 4).
 */
package io.retel.ariproxy.command;
