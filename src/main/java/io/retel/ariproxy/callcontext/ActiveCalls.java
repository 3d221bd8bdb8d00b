// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Counts the active resources and their call contexts, so that monitoring does not iterate over all
 * mappings. Thread-safe.
 *
 * <p>A hash table with open addressing, of 12 bytes per slot: it contains a hash of each call
 * context, of 64 bits, and the number of its active resources. Two call contexts with the same hash
 * count as one.
 */
final class ActiveCalls {

  private static final int MIN_CAPACITY = 64;

  /** Unknown to a peer that chooses call contexts. */
  private final long multiplier = ThreadLocalRandom.current().nextLong() | 1;

  private long[] hashes = new long[MIN_CAPACITY];

  /** The resources of each hash; zero for a free slot. */
  private int[] resources = new int[MIN_CAPACITY];

  private int calls;
  private int totalResources;

  /** Records a change of a mapping; null if it does not exist before or after. */
  void replace(@Nullable Mapping existing, @Nullable Mapping updated) {
    Mapping before = ifActive(existing);
    Mapping after = ifActive(updated);
    if (before != null && after != null && before.hasCallContextOf(after)) {
      return;
    }
    if (after != null) {
      add(after.callContextHash(multiplier));
    }
    if (before != null) {
      remove(before.callContextHash(multiplier));
    }
  }

  private static @Nullable Mapping ifActive(@Nullable Mapping mapping) {
    return mapping != null && mapping.isActive() ? mapping : null;
  }

  /** Number of call contexts with active resources. */
  synchronized int calls() {
    return calls;
  }

  /** Number of active resources. */
  synchronized int resources() {
    return totalResources;
  }

  private synchronized void add(long hash) {
    int slot = slot(hash);
    if (resources[slot] == 0) {
      hashes[slot] = hash;
      calls++;
    }
    resources[slot]++;
    totalResources++;
    if (calls > hashes.length / 4 * 3) {
      resize(hashes.length * 2);
    }
  }

  private synchronized void remove(long hash) {
    int slot = slot(hash);
    if (resources[slot] == 0) {
      // its mapping was written to the cache by a route
      return;
    }
    totalResources--;
    if (--resources[slot] > 0) {
      return;
    }
    calls--;
    fill(slot);
    if (calls < hashes.length / 8 && hashes.length > MIN_CAPACITY) {
      resize(hashes.length / 2);
    }
  }

  /** Moves later entries to a slot that has become free, so that a search finds them. */
  private void fill(int free) {
    int mask = hashes.length - 1;
    for (int next = (free + 1) & mask; resources[next] != 0; next = (next + 1) & mask) {
      int distance = (next - firstSlot(hashes[next])) & mask;
      if (distance >= ((next - free) & mask)) {
        hashes[free] = hashes[next];
        resources[free] = resources[next];
        resources[next] = 0;
        free = next;
      }
    }
  }

  private void resize(int capacity) {
    long[] oldHashes = hashes;
    int[] oldResources = resources;
    hashes = new long[capacity];
    resources = new int[capacity];
    for (int i = 0; i < oldHashes.length; i++) {
      if (oldResources[i] != 0) {
        int slot = slot(oldHashes[i]);
        hashes[slot] = oldHashes[i];
        resources[slot] = oldResources[i];
      }
    }
  }

  /** Returns the slot of a hash, or the free one for it. */
  private int slot(long hash) {
    int slot = firstSlot(hash);
    while (resources[slot] != 0 && hashes[slot] != hash) {
      slot = (slot + 1) & (hashes.length - 1);
    }
    return slot;
  }

  private int firstSlot(long hash) {
    return (int) (hash ^ (hash >>> 32)) & (hashes.length - 1);
  }
}
