/**
 * Camel components that carry a message over a seam at which a route can be exchanged while calls
 * are up.
 */
package io.retel.ariproxy.component;
