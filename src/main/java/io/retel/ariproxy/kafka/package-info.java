/**
 * What Kafka needs beyond Camel's component: commits in order, and a bound on what is under way.
 */
package io.retel.ariproxy.kafka;
