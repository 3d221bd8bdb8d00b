/** The demo: a whole setup in one process, and what goes through Kafka on the screen. */
package io.retel.ariproxy.demo;
