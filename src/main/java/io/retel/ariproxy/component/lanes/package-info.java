/**
 * {@code lanes:name}: an in-memory queue that delivers messages of one key sequentially, and
 * messages of different keys concurrently.
 */
package io.retel.ariproxy.component.lanes;
