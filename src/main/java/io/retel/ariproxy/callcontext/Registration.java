// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import io.retel.ariproxy.ari.Resource;
import org.jspecify.annotations.Nullable;

/**
 * Mapping of a resource registered before its creation.
 *
 * @param resource the resource
 * @param current its new mapping
 * @param previous its previous mapping, or null
 */
public record Registration(Resource resource, Mapping current, @Nullable Mapping previous) {

  /** Whether the same command had registered it before a crash. */
  public boolean isRepeated() {
    return previous != null
        && !previous.ended()
        && previous.pending()
        && previous.callContext().equals(current.callContext());
  }
}
