/** Certificates and keys from settings, and error messages for failed TLS connections. */
@NullMarked
package io.retel.ariproxy.tls;

import org.jspecify.annotations.NullMarked;
