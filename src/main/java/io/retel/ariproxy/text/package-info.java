/** Abbreviates and escapes foreign text. */
package io.retel.ariproxy.text;
