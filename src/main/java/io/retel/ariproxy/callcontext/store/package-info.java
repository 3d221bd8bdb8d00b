/** Persistent stores of call contexts: a small interface, and one class for each type of store. */
package io.retel.ariproxy.callcontext.store;
