/** What is published: events and responses in their envelopes (contract.md section 2). */
package io.retel.ariproxy.envelope;
