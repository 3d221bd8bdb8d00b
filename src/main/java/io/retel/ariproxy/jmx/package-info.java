/**
 * MBeans for operators, one per subject, in the domain {@code io.retel.ariproxy}. Routes have
 * Camel's own MBeans.
 */
@NullMarked
package io.retel.ariproxy.jmx;

import org.jspecify.annotations.NullMarked;
