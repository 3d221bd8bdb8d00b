/** Kafka clients beyond Camel's component: in-order commits, and a limit on bytes in flight. */
package io.retel.ariproxy.kafka;
