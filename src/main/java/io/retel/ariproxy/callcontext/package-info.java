/** Maps events and commands to their calls. */
package io.retel.ariproxy.callcontext;
