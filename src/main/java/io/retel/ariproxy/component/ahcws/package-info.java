/**
 * {@code ahc-ws:} and {@code ahc-wss:}: consume a remote server's websocket in order, one message
 * at a time.
 *
 * <p>The component owns the connection and its buffer, which outlive the consuming route. The route
 * can be replaced without closing the websocket or losing a message.
 */
@NullMarked
package io.retel.ariproxy.component.ahcws;

import org.jspecify.annotations.NullMarked;
