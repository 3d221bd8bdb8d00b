/** HTTP client for ARI. */
@NullMarked
package io.retel.ariproxy.ari.http;

import org.jspecify.annotations.NullMarked;
