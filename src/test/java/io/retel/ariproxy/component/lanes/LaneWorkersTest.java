// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Number of workers: one waits while others work, up to a maximum. */
class LaneWorkersTest {

  private static final int MAXIMUM = 4;

  private final Semaphore work = new Semaphore(0);
  private final Semaphore end = new Semaphore(0);
  private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
  private final AtomicInteger working = new AtomicInteger();
  private final AtomicInteger maxWorking = new AtomicInteger();
  private final AtomicInteger done = new AtomicInteger();
  private volatile int waitMs = 60_000;
  private volatile boolean threadLimit;
  private volatile boolean fails;
  private final Executor executor =
      task -> {
        if (threadLimit) {
          throw new OutOfMemoryError("unable to create native thread: possibly out of memory");
        }
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
      };
  private final LaneWorkers workers = new LaneWorkers("test", executor, MAXIMUM, this::run);

  private boolean run(LaneWorkers current) throws InterruptedException {
    if (!work.tryAcquire(waitMs, TimeUnit.MILLISECONDS)) {
      return false;
    }
    try {
      current.beginWork();
      maxWorking.accumulateAndGet(working.incrementAndGet(), Math::max);
      end.acquire();
      if (fails) {
        throw new InternalError("test");
      }
      done.incrementAndGet();
    } finally {
      working.decrementAndGet();
      current.endWork();
    }
    return true;
  }

  private long running() {
    return threads.stream().filter(Thread::isAlive).count();
  }

  @AfterEach
  void stop() {
    workers.stop();
    threads.forEach(Thread::interrupt);
    Awaitility.catchUncaughtExceptionsByDefault();
  }

  @Test
  void oneWaitsAtRest() {
    workers.start();
    for (int i = 1; i <= 10; i++) {
      int expected = i;
      work.release();
      end.release();
      await().until(() -> done.get() == expected);
    }

    // one that works, one that waits, one that has just ended its work
    assertThat(threads).hasSizeLessThanOrEqualTo(3);
  }

  @Test
  void oneWaitsWhileOthersWork() {
    workers.start();
    work.release(2);
    await().until(() -> working.get() == 2);

    await().until(() -> running() == 3);
    assertThat(threads).hasSize(3);
  }

  @Test
  void manyWorkUpToMaximum() {
    workers.start();
    work.release(3 * MAXIMUM);
    await().until(() -> working.get() == MAXIMUM);
    end.release(3 * MAXIMUM);

    await().until(() -> done.get() == 3 * MAXIMUM);
    assertThat(maxWorking).hasValue(MAXIMUM);
    assertThat(threads).hasSize(MAXIMUM);
  }

  @Test
  void allButOneEndAfterWork() {
    waitMs = 50;
    workers.start();
    work.release(MAXIMUM);
    await().until(() -> working.get() == MAXIMUM);

    end.release(MAXIMUM);

    await().until(() -> running() == 1);
    await().during(300, TimeUnit.MILLISECONDS).until(() -> running() == 1);
    assertThat(workers.hasFailed()).isFalse();
    work.release();
    end.release();
    await().until(() -> done.get() == MAXIMUM + 1);
  }

  @Test
  void anotherReplacesOneThatFails() {
    Awaitility.doNotCatchUncaughtExceptionsByDefault();
    fails = true;
    workers.start();
    for (int i = 0; i < 2 * MAXIMUM; i++) {
      work.release();
      end.release();
    }
    await().until(() -> threads.size() > MAXIMUM && working.get() == 0 && running() == 1);
    assertThat(workers.hasFailed()).isTrue();

    fails = false;
    work.release(MAXIMUM);
    await().until(() -> working.get() == MAXIMUM);
  }

  /** A step of a route can leave its thread interrupted. */
  @Test
  void anotherReplacesOneThatIsInterrupted() {
    workers.start();
    await().until(() -> running() == 1);
    threads.forEach(Thread::interrupt);
    await().until(() -> threads.size() > 1 && running() == 1);
    assertThat(workers.hasFailed()).isFalse();

    work.release(MAXIMUM);
    await().until(() -> working.get() == MAXIMUM);
  }

  @Test
  void workContinuesIfNoThreadCanStart() {
    workers.start();
    threadLimit = true;
    work.release(3);
    end.release(2);
    await().until(() -> done.get() == 2 && working.get() == 1);
    assertThat(threads).hasSize(1);

    threadLimit = false;
    end.release();
    work.release(MAXIMUM);

    await("start of others").until(() -> working.get() == MAXIMUM);
    assertThat(workers.hasFailed()).isFalse();
  }

  @Test
  void stopEndsAllWorkers() {
    workers.start();
    work.release(2);
    await().until(() -> running() == 3);

    workers.stop();
    threads.forEach(Thread::interrupt);

    await().until(() -> running() == 0);
    assertThat(workers.hasFailed()).isFalse();
  }
}
