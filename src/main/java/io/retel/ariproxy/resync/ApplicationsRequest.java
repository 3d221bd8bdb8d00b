// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.RequestLimit;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.text.LogText;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Queries the applications, with at most one request at a time in Asterisk
 * (docs/contract.md#resync).
 *
 * <p>Asterisk can hang on such a request. Its thread is not released when the client closes the
 * connection, so another request could occupy another thread. A request without a response in time
 * therefore remains open, and no other one is sent until it ends, by any resync. Thread-safe.
 */
public final class ApplicationsRequest implements AutoCloseable {

  private final AriClient client;
  private final RequestLimit limit;
  private final Duration timeout;
  private final Semaphore free = new Semaphore(1);

  /** Of the latest request. */
  private volatile String path = "";

  private volatile long startNanos = System.nanoTime();

  /**
   * Owns the client.
   *
   * @param client with a long timeout for responses
   * @param limit of the client; a request that hangs is not a list that others wait for
   * @param timeout how long a caller waits for a response
   */
  public ApplicationsRequest(AriClient client, RequestLimit limit, Duration timeout) {
    this.client = client;
    this.limit = limit;
    this.timeout = timeout;
  }

  /** Queries all applications. */
  Answer list() {
    return ask("/applications", Answer::ofList);
  }

  /** Queries one application. */
  Answer single(String applicationPath) {
    return ask(applicationPath, Answer::ofApplication);
  }

  private Answer ask(String nextPath, Request request) {
    try {
      limit.acquireList();
      try {
        return askWhileNoListIsRequested(nextPath, request);
      } finally {
        limit.releaseList();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer(Answer.NOT_REACHED, null, "the resync has ended");
    }
  }

  private Answer askWhileNoListIsRequested(String nextPath, Request request)
      throws InterruptedException {
    if (!free.tryAcquire(remainingNanos(), TimeUnit.NANOSECONDS)) {
      return hangs();
    }
    path = nextPath;
    startNanos = System.nanoTime();
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    Thread thread = new Thread(() -> send(request, nextPath, answer), "resync-applications");
    thread.setDaemon(true);
    thread.start();
    try {
      return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return hangs();
    } catch (ExecutionException e) {
      throw new CompletionException(e.getCause());
    }
  }

  /** How long the request that is open, if any, can take. */
  private long remainingNanos() {
    return timeout.toNanos() - (System.nanoTime() - startNanos);
  }

  private void send(Request request, String sentPath, CompletableFuture<Answer> answer) {
    try {
      answer.complete(request.send(client, sentPath));
    } catch (RuntimeException | Error e) {
      FatalErrors.exitIfOutOfMemory(e);
      answer.completeExceptionally(e);
    } finally {
      free.release();
    }
  }

  private Answer hangs() {
    return new Answer(
        Answer.HANGS,
        null,
        "GET "
            + LogText.abbreviate(path)
            + " hangs in Asterisk, and is not sent again until it responds");
  }

  /** Aborts the request. */
  @Override
  public void close() {
    client.close();
  }

  @FunctionalInterface
  private interface Request {
    Answer send(AriClient client, String path);
  }
}
