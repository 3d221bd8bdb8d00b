// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadFactory;

/**
 * The I/O threads of a websocket's HTTP client. The client does not replace one that has ended.
 * Thread-safe.
 */
final class ClientThreads implements ThreadFactory {

  private final ThreadFactory factory;
  private final List<Thread> threads = new CopyOnWriteArrayList<>();

  ClientThreads(String name) {
    this.factory = new DefaultThreadFactory(name);
  }

  @Override
  public Thread newThread(Runnable task) {
    Thread thread = factory.newThread(task);
    threads.add(thread);
    return thread;
  }

  /** Returns the name of a thread that has ended, if any. */
  Optional<String> ended() {
    return threads.stream()
        .filter(thread -> thread.getState() == Thread.State.TERMINATED)
        .map(Thread::getName)
        .findFirst();
  }
}
