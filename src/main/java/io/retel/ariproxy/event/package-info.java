/** The steps of the event routes. */
@NullMarked
package io.retel.ariproxy.event;

import org.jspecify.annotations.NullMarked;
