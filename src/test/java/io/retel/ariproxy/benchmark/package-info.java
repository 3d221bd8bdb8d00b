/**
 * Compares the proxy with a baseline that uses the same libraries without Camel. Run it with {@code
 * ./mvnw -Pbenchmark}.
 */
package io.retel.ariproxy.benchmark;
