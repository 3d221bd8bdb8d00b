/** The demo: a complete setup in one process that prints its Kafka traffic. */
package io.retel.ariproxy.demo;
