/**
 * {@code handover:name}: a synchronous call to another route, like {@code direct:}, but the called
 * route can be replaced under load.
 */
@NullMarked
package io.retel.ariproxy.component.handover;

import org.jspecify.annotations.NullMarked;
