/** Kafka clients beyond Camel's component: in-order commits, and a limit on bytes in flight. */
@NullMarked
package io.retel.ariproxy.kafka;

import org.jspecify.annotations.NullMarked;
