package io.retel.ariproxy.callcontext.store;

import java.util.List;
import java.util.function.BiConsumer;

/**
 * Keeps texts under keys, so that call contexts outlive the process.
 *
 * <p>All of it is in the proxy's memory while it runs: a store is read once, before the first event
 * is taken, and then only written to. So no event and no command ever waits for a look-up, and no
 * failing look-up can be mistaken for a resource that has no call. A store has what this proxy has
 * kept and nothing of other proxies, even if they share the server.
 *
 * <p>Used by one thread at a time. Methods may take as long as the server needs, within the store's
 * own timeout; whatever they throw means that it is tried again later.
 */
public interface CallContextStore extends AutoCloseable {

  /**
   * A key and the text that is kept under it from now on.
   *
   * @param key such as {@code CHANNEL:1532965104.0}
   * @param value the text, or null if nothing is kept under that key any more
   */
  record Change(String key, String value) {}

  /** Hands over all that is kept. Called again after it has failed. */
  void readAll(BiConsumer<String, String> sink) throws Exception;

  /**
   * Makes changes, each of another key; returns when the store has acknowledged that they will
   * outlive it. After a failure some may have been made; they are all asked for again, maybe with
   * newer values.
   */
  void write(List<Change> changes) throws Exception;

  /** Ends the connection. */
  @Override
  void close();
}
