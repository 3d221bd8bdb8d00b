/** ARI resources and events. Pure data and rules, independent of Camel and Kafka. */
package io.retel.ariproxy.ari;
