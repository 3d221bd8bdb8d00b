package io.retel.ariproxy.callcontext.store;

import java.util.List;
import java.util.function.BiConsumer;

/** Keeps nothing beyond the process. */
public final class MemoryStore implements CallContextStore {

  @Override
  public void readAll(BiConsumer<String, String> sink) {
    // there is nothing
  }

  @Override
  public void write(List<Change> changes) {
    // the cache in front has it
  }

  @Override
  public void close() {
    // there is no connection
  }
}
