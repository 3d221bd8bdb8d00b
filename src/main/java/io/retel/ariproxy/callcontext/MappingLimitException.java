// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext;

/** A new resource cannot be mapped: the heap for mappings is full. */
public final class MappingLimitException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  MappingLimitException(String message) {
    super(message);
  }
}
