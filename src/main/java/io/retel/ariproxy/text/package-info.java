/** Abbreviates and escapes foreign text. */
@NullMarked
package io.retel.ariproxy.text;

import org.jspecify.annotations.NullMarked;
