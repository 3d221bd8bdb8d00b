/** Assembly and lifecycle of the proxy. */
@NullMarked
package io.retel.ariproxy.app;

import org.jspecify.annotations.NullMarked;
