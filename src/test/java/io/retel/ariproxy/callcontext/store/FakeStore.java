// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A store controlled by the test, which can make writes fail or block. */
public final class FakeStore implements CallContextStore {

  /** The store rejects longer values. */
  static final int MAX_VALUE_LENGTH = 10_000;

  private final Map<String, String> stored = new LinkedHashMap<>();
  private final List<List<Change>> batches = new ArrayList<>();
  private final Semaphore gate = new Semaphore(Integer.MAX_VALUE);
  private volatile boolean failing;
  private volatile boolean throwingError;
  private final AtomicInteger attempts = new AtomicInteger();
  private volatile boolean closed;
  private volatile boolean closeWaitsForWrites;
  private volatile boolean writing;
  private volatile boolean readWhileWriting;

  @Override
  public synchronized void readAll(BiConsumer<String, @Nullable String> sink) throws IOException {
    readWhileWriting |= writing;
    if (failing) {
      throw new IOException("store is down");
    }
    stored.forEach(sink);
  }

  @Override
  public void write(List<Change> changes)
      throws IOException, InterruptedException, RecordRejectedException {
    writing = true;
    attempts.incrementAndGet();
    try {
      gate.acquire();
      gate.release();
    } finally {
      writing = false;
    }
    if (failing) {
      throw new IOException("store is down");
    }
    if (throwingError) {
      throw new NoClassDefFoundError("a part of the driver");
    }
    if (changes.stream().anyMatch(FakeStore::isTooLarge)) {
      throw new RecordRejectedException("a record is too large");
    }
    synchronized (this) {
      batches.add(changes);
      for (Change change : changes) {
        if (change.value() == null) {
          stored.remove(change.key());
        } else {
          stored.put(change.key(), change.value());
        }
      }
    }
  }

  private static boolean isTooLarge(Change change) {
    return change.value() != null && change.value().length() > MAX_VALUE_LENGTH;
  }

  /** The stored entries. */
  public synchronized Map<String, String> stored() {
    return Map.copyOf(stored);
  }

  /** The written batches. */
  public synchronized List<List<Change>> batches() {
    return List.copyOf(batches);
  }

  /** Number of attempts to write. */
  public int attempts() {
    return attempts.get();
  }

  public void failing(boolean enabled) {
    failing = enabled;
  }

  /** Makes writes throw an {@link Error}, as a broken driver does. */
  public void throwingError(boolean enabled) {
    throwingError = enabled;
  }

  /** Blocks writes until {@link #unblockWrites}. */
  public void blockWrites() {
    gate.acquireUninterruptibly(Integer.MAX_VALUE);
  }

  public void unblockWrites() {
    gate.release(Integer.MAX_VALUE);
  }

  /** Blocks {@link #close} until {@link #unblockWrites}, as a driver whose lock is held. */
  public void closeWaitsForWrites() {
    closeWaitsForWrites = true;
  }

  /** Whether two threads have used the store at a time. */
  public boolean isReadWhileWriting() {
    return readWhileWriting;
  }

  public boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    if (closeWaitsForWrites) {
      gate.acquireUninterruptibly();
      gate.release();
    }
    closed = true;
  }
}
