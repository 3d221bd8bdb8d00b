/**
 * MBeans for operators, one per subject, in the domain {@code io.retel.ariproxy}. Routes have
 * Camel's own MBeans.
 */
package io.retel.ariproxy.jmx;
