/** Certificates and keys from settings, and error messages for failed TLS connections. */
package io.retel.ariproxy.tls;
