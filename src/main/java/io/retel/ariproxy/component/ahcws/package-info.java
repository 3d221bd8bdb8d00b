/**
 * {@code ahc-ws:} and {@code ahc-wss:}: consume a websocket of another server, in order and one
 * message at a time.
 *
 * <p>The component owns the connection and its buffer; both outlive the route that consumes them,
 * so that the route can be exchanged without closing the websocket or losing a message.
 */
package io.retel.ariproxy.component.ahcws;
