/** Entry point of the proxy. */
@NullMarked
package io.retel.ariproxy;

import org.jspecify.annotations.NullMarked;
