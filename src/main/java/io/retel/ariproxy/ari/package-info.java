/** ARI resources and events. Pure data and rules, independent of Camel and Kafka. */
@NullMarked
package io.retel.ariproxy.ari;

import org.jspecify.annotations.NullMarked;
