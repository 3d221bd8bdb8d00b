/** The steps of an event's route. */
package io.retel.ariproxy.event;
