/** Error messages: turns exceptions into one sentence. */
@NullMarked
package io.retel.ariproxy.error;

import org.jspecify.annotations.NullMarked;
