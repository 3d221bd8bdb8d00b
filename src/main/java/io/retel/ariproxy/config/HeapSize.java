// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

/**
 * The heap that a large array takes.
 *
 * <p>G1, Java's default collector, gives an array of more than half a region whole regions: 513 KB
 * take 1 MB. A region has 1 MB in a heap of up to 2 GB; a larger heap has room.
 */
public final class HeapSize {

  private static final long REGION_BYTES = 1 << 20;
  private static final int ARRAY_HEADER_BYTES = 16;

  private HeapSize() {}

  /** Returns the heap for an array with this number of bytes. */
  public static long ofArray(long length) {
    long size = length + ARRAY_HEADER_BYTES;
    return size <= REGION_BYTES / 2
        ? length
        : (size + REGION_BYTES - 1) / REGION_BYTES * REGION_BYTES;
  }
}
