// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Store that persists nothing. */
public final class MemoryStore implements CallContextStore {

  @Override
  public void readAll(BiConsumer<String, @Nullable String> sink) {
    // nothing is stored
  }

  @Override
  public void write(List<Change> changes) {
    // the cache already contains it
  }

  @Override
  public void close() {
    // nothing to close
  }
}
