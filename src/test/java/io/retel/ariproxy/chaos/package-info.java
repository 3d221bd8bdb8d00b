/** Everything fails at some time: the load, the faults, and the books that have to balance. */
package io.retel.ariproxy.chaos;
