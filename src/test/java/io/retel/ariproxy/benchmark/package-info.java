/**
 * The proxy against the bare loop: the same libraries without Camel. {@code ./mvnw -Pbenchmark}
 * runs it.
 */
package io.retel.ariproxy.benchmark;
