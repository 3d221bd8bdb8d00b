/** What is measured, and where that can be read. */
package io.retel.ariproxy.metrics;
