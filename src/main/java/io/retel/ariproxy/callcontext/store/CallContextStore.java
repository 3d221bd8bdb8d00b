// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Key-value store that persists mappings beyond the process.
 *
 * <p>The proxy holds all mappings in memory: it reads the store once, before consuming the first
 * event, and then only writes. So events and commands never wait for a lookup, and a failed lookup
 * cannot be mistaken for an unmapped resource. A store contains only the entries of this proxy,
 * even if others share the server.
 *
 * <p>Must be used by one thread at a time. Methods can block until the server responds, up to the
 * store's own timeout; after any exception the caller retries.
 */
public interface CallContextStore extends AutoCloseable {

  /**
   * New value of a key.
   *
   * @param key such as {@code CHANNEL:1532965104.0}
   * @param value the value, or null to delete the key
   */
  record Change(String key, @Nullable String value) {}

  /**
   * Passes all entries to the sink, one by one, so that they need heap only where the sink keeps
   * them. The last value of a key counts: earlier ones can precede it, and null follows if it has
   * been deleted. Can be called again after a failure.
   */
  void readAll(BiConsumer<String, @Nullable String> sink) throws Exception;

  /**
   * Writes changes with distinct keys; returns when the store has acknowledged them durably.
   *
   * <p>After a failure some may have been written; the caller repeats all of them, possibly with
   * newer values.
   *
   * @throws RecordRejectedException if the store can never accept one of them
   */
  void write(List<Change> changes) throws Exception;

  /** Closes the connection. */
  @Override
  void close();
}
