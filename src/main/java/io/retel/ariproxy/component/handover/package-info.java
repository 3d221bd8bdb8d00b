/**
 * {@code handover:name}: a synchronous call from one route into another, as {@code direct:} is, for
 * a called route that can be exchanged under load.
 */
package io.retel.ariproxy.component.handover;
