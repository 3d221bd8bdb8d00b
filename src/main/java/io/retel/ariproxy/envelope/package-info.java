/** The envelopes of events and RESPONSEs (docs/contract.md#envelopes). */
package io.retel.ariproxy.envelope;
