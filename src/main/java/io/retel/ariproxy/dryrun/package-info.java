/**
 * Runs messages through the routes without servers: in place of Kafka, Asterisk and all other
 * servers are endpoints that print what they would send.
 */
@NullMarked
package io.retel.ariproxy.dryrun;

import org.jspecify.annotations.NullMarked;
