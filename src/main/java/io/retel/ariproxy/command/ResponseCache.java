package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;

/**
 * Remembers for a while what commands were answered, so that one that is sent again is answered
 * again and not carried out twice (contract.md section 4). Safe for use by many threads.
 */
public final class ResponseCache {

  /** What an entry weighs beside its envelope, in bytes of heap. */
  private static final int ENTRY_OVERHEAD_BYTES = 512;

  private final Cache<Key, byte[]> envelopes;

  /**
   * @param window how long an answer is remembered
   * @param maxHeap how many bytes of heap the answers may take; the least used are forgotten first
   * @param ticker the clock
   */
  public ResponseCache(Duration window, long maxBytes, Ticker ticker) {
    this.envelopes =
        Caffeine.newBuilder()
            .expireAfterWrite(window)
            .maximumWeight(maxBytes)
            .weigher(
                (Key key, byte[] envelope) -> ENTRY_OVERHEAD_BYTES + key.weight() + envelope.length)
            .ticker(ticker)
            // its upkeep is a matter of nanoseconds; to wake another thread for it costs more
            .executor(Runnable::run)
            .build();
  }

  /** Remembers the RESPONSE to a command, if the command can be told from others. */
  void put(Command command, byte[] envelope) {
    Key.of(command).ifPresent(key -> envelopes.put(key, envelope));
  }

  /** The RESPONSE to the same command, if it was answered within the window. */
  Optional<byte[]> get(Command command) {
    return Key.of(command).map(envelopes::getIfPresent);
  }

  /**
   * What makes a command the same: beside its ids what it asks for, since a controller that gives
   * all its commands one id means no repetition.
   */
  private record Key(String callContext, JsonNode commandId, UUID fingerprint) {

    static Optional<Key> of(Command command) {
      return command.callContext() == null
              || command.commandId() == null
              || (command.commandId().isTextual() && command.commandId().textValue().isEmpty())
              || command.fingerprint() == null
          ? Optional.empty()
          : Optional.of(new Key(command.callContext(), command.commandId(), command.fingerprint()));
    }

    int weight() {
      return 2 * callContext.length() + commandId.toString().length();
    }
  }
}
