/** Configuration: every setting with its type and default, read and checked once at startup. */
@NullMarked
package io.retel.ariproxy.config;

import org.jspecify.annotations.NullMarked;
