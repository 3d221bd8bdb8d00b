/** Fault injection under load, with a consistency check of all records. */
package io.retel.ariproxy.chaos;
