/** Which call an event or a command belongs to. */
package io.retel.ariproxy.callcontext;
