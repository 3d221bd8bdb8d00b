/**
 * {@code lanes:name}: an in-memory queue that delivers messages of one key sequentially, and
 * messages of different keys concurrently.
 */
@NullMarked
package io.retel.ariproxy.component.lanes;

import org.jspecify.annotations.NullMarked;
