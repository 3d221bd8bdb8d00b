/**
 * Certificates and keys as the settings name them, and what is wrong where a TLS connection fails.
 */
package io.retel.ariproxy.tls;
