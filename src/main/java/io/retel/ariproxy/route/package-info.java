/** Camel routes: files, reload, policies. */
@NullMarked
package io.retel.ariproxy.route;

import org.jspecify.annotations.NullMarked;
