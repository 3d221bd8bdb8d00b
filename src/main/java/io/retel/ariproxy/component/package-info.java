/** Camel components whose routes can be replaced while calls are up. */
@NullMarked
package io.retel.ariproxy.component;

import org.jspecify.annotations.NullMarked;
