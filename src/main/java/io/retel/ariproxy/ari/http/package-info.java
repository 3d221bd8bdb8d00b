/** HTTP client for ARI. */
package io.retel.ariproxy.ari.http;
