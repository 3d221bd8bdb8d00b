/**
 * {@code lanes:name}: a queue in memory that hands out messages of one key one after the other, and
 * messages of different keys side by side.
 */
package io.retel.ariproxy.component.lanes;
