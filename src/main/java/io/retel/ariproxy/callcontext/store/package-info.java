/** Persistent stores of call contexts: a small interface, and one class for each type of store. */
@NullMarked
package io.retel.ariproxy.callcontext.store;

import org.jspecify.annotations.NullMarked;
