/**
 * What is missed while the websocket is not open, and how it is made up for when it is open again
 * (contract.md section 5).
 */
package io.retel.ariproxy.gap;
