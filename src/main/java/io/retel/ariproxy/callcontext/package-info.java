/** Mapping of events and commands to their call. */
package io.retel.ariproxy.callcontext;
