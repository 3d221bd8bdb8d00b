/**
 * What an operator sees and does over JMX beside Camel's own beans, which have the routes. One bean
 * per thing, in the domain {@code io.retel.ariproxy}.
 */
package io.retel.ariproxy.jmx;
