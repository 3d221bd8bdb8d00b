/** The envelopes of events and RESPONSEs (docs/contract.md#envelopes). */
@NullMarked
package io.retel.ariproxy.envelope;

import org.jspecify.annotations.NullMarked;
