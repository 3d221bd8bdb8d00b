/** The steps of the event routes. */
package io.retel.ariproxy.event;
