// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.concurrent.Semaphore;

/**
 * Limits the requests at once of several {@link AriClient clients}, and those for lists to one: a
 * list of thousands of resources occupies Asterisk. Thread-safe.
 */
public final class RequestLimit {

  private final Semaphore requests;
  private final Semaphore lists = new Semaphore(1, true);

  /**
   * @param maxRequests the number of requests at once
   */
  public RequestLimit(int maxRequests) {
    this.requests = new Semaphore(maxRequests, true);
  }

  /** Work that sends a request. */
  @FunctionalInterface
  interface Request<T> {
    T send() throws IOException;
  }

  <T> T request(Request<T> request) throws IOException {
    return run(requests, request);
  }

  <T> T list(Request<T> request) throws IOException {
    return run(lists, request);
  }

  private static <T> T run(Semaphore permits, Request<T> request) throws IOException {
    try {
      permits.acquire();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted before the request was sent");
    }
    try {
      return request.send();
    } finally {
      permits.release();
    }
  }

  /** Waits until no list is requested. */
  public void acquireList() throws InterruptedException {
    lists.acquire();
  }

  /** Lets the next list be requested. */
  public void releaseList() {
    lists.release();
  }
}
