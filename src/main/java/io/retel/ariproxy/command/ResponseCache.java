// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.config.HeapSize;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.UUID;

/**
 * Cache of recent RESPONSEs, so that a duplicate command gets the same RESPONSE and is not executed
 * twice (docs/contract.md#commands). Thread-safe.
 */
public final class ResponseCache {

  /** Heap overhead of an entry other than ids and envelope, in bytes. */
  private static final int ENTRY_OVERHEAD_BYTES = 512;

  private final Cache<Key, byte[]> envelopes;

  /**
   * @param window how long a RESPONSE is cached
   * @param maxBytes heap limit for all entries, in bytes; the least used are evicted first
   * @param ticker the clock
   */
  public ResponseCache(Duration window, long maxBytes, Ticker ticker) {
    this.envelopes =
        Caffeine.newBuilder()
            .expireAfterWrite(window)
            .maximumWeight(maxBytes)
            .weigher(
                (Key key, byte[] envelope) ->
                    Math.toIntExact(
                        ENTRY_OVERHEAD_BYTES + key.weight() + HeapSize.ofArray(envelope.length)))
            .ticker(ticker)
            // maintenance takes nanoseconds; waking another thread takes longer
            .executor(Runnable::run)
            .build();
  }

  /** Caches the RESPONSE to a command if the command has an id. */
  void put(Command command, byte[] envelope) {
    Key.of(command).ifPresent(key -> envelopes.put(key, envelope));
  }

  /** Returns the RESPONSE to the same command, if cached within the window. */
  Optional<byte[]> get(Command command) {
    return Key.of(command).map(envelopes::getIfPresent);
  }

  /**
   * The identity of a command. Includes the fingerprint, since commands of a controller that uses
   * one id for all of them are not duplicates.
   */
  private record Key(String callContext, JsonNode commandId, UUID fingerprint)
      implements Comparable<Key> {

    private static final Comparator<Key> ORDER =
        Comparator.comparing(Key::callContext)
            .thenComparing(key -> key.commandId().toString())
            .thenComparing(Key::fingerprint);

    /** A hash map takes linear time for keys with one hash code without it. */
    @Override
    public int compareTo(Key other) {
      return ORDER.compare(this, other);
    }

    static Optional<Key> of(Command command) {
      return command instanceof Command.Accepted accepted
              && accepted.callContext() != null
              && accepted.commandId() != null
              && !(accepted.commandId().isTextual() && accepted.commandId().textValue().isEmpty())
          ? Optional.of(
              new Key(accepted.callContext(), accepted.commandId(), accepted.fingerprint()))
          : Optional.empty();
    }

    int weight() {
      // a character outside Latin-1 makes each one take two bytes
      return 2 * (callContext.length() + commandId.toString().length());
    }
  }
}
