/** Configuration: every setting with its type and default, read and checked once at startup. */
package io.retel.ariproxy.config;
