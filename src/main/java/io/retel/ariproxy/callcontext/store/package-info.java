/** Persistent stores of call contexts: one small interface, and a class for each kind of store. */
package io.retel.ariproxy.callcontext.store;
