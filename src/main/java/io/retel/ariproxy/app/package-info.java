/** Assembly and lifecycle of the proxy. */
package io.retel.ariproxy.app;
