package io.retel.ariproxy.callcontext.store;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.function.BiConsumer;

/** A store in the test's hands: it can fail, and hold what it is asked to write. */
public final class FakeStore implements CallContextStore {

  private final Map<String, String> kept = new LinkedHashMap<>();
  private final List<List<Change>> batches = new ArrayList<>();
  private final Semaphore gate = new Semaphore(Integer.MAX_VALUE);
  private volatile boolean failing;
  private volatile boolean breaking;
  private volatile int tries;
  private volatile boolean closed;

  @Override
  public synchronized void readAll(BiConsumer<String, String> each) throws IOException {
    if (failing) {
      throw new IOException("it is away");
    }
    kept.forEach(each);
  }

  @Override
  public void write(List<Change> changes) throws IOException, InterruptedException {
    tries++;
    gate.acquire();
    gate.release();
    if (failing) {
      throw new IOException("it is away");
    }
    if (breaking) {
      throw new NoClassDefFoundError("a part of the driver");
    }
    synchronized (this) {
      batches.add(changes);
      for (Change change : changes) {
        if (change.value() == null) {
          kept.remove(change.key());
        } else {
          kept.put(change.key(), change.value());
        }
      }
    }
  }

  /** What it keeps now. */
  public synchronized Map<String, String> kept() {
    return Map.copyOf(kept);
  }

  /** What it was asked to write, batch by batch. */
  public synchronized List<List<Change>> batches() {
    return List.copyOf(batches);
  }

  /** How often it was asked to write. */
  public int tries() {
    return tries;
  }

  public void failing(boolean fails) {
    failing = fails;
  }

  /** Whether it throws what a store should not. */
  public void breaking(boolean breaks) {
    breaking = breaks;
  }

  /** Holds whoever writes. */
  public void hold() {
    gate.acquireUninterruptibly(Integer.MAX_VALUE);
  }

  public void letGo() {
    gate.release(Integer.MAX_VALUE);
  }

  public boolean isClosed() {
    return closed;
  }

  @Override
  public void close() {
    closed = true;
  }
}
