/** Camel routes: files, reload, policies. */
package io.retel.ariproxy.route;
