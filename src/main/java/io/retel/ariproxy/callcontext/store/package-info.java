/** Stores of call contexts: a small interface, and for each store a class and its provider. */
@NullMarked
package io.retel.ariproxy.callcontext.store;

import org.jspecify.annotations.NullMarked;
