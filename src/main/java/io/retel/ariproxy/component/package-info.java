/** Camel components whose routes can be replaced while calls are up. */
package io.retel.ariproxy.component;
