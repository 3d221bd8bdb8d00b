/**
 * What operators and their tools see over HTTP: health, and the port that metrics are read from.
 */
package io.retel.ariproxy.management;
