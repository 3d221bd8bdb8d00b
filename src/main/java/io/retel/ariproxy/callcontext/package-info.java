/** Maps events and commands to their calls. */
@NullMarked
package io.retel.ariproxy.callcontext;

import org.jspecify.annotations.NullMarked;
