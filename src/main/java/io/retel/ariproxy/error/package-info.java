/** Error messages: turns exceptions into one sentence. */
package io.retel.ariproxy.error;
