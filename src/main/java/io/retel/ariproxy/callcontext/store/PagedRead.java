// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.io.IOException;

/**
 * Reads a store in pages that the heap can take, for any size of values. A page beyond the limit is
 * not read; the store is then read again, in smaller ones.
 */
final class PagedRead {

  /** Limit of a page as it is received, in bytes. */
  static final long MAX_PAGE_BYTES = Runtime.getRuntime().maxMemory() / 32;

  /** Few round trips, without blocking other clients of the store. */
  private static final int MAX_ENTRIES = 1_000;

  private static final int SMALLER = 10;

  /** Reads all entries. */
  @FunctionalInterface
  interface Reader {

    /**
     * @param entries number of entries of a page
     * @throws PageTooLargeException if a page exceeds {@link #MAX_PAGE_BYTES}
     */
    void readAll(int entries) throws Exception;
  }

  /** A reply of a store exceeds {@link #MAX_PAGE_BYTES}, even one with a single entry. */
  static final class PageTooLargeException extends IOException {

    private static final long serialVersionUID = 1L;

    /**
     * @param store its name, such as {@code Redis}
     */
    PageTooLargeException(String store) {
      super(
          "a reply of "
              + store
              + " exceeds "
              + (MAX_PAGE_BYTES >> 20)
              + " MB: delete large values that no proxy has written, or set a larger -Xmx");
    }
  }

  private PagedRead() {}

  static void readAll(Reader reader) throws Exception {
    for (int entries = MAX_ENTRIES; ; entries /= SMALLER) {
      try {
        reader.readAll(entries);
        return;
      } catch (PageTooLargeException e) {
        if (entries == 1) {
          throw e;
        }
      }
    }
  }
}
