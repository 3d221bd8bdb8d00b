// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

/**
 * Thrown when a mapping is not known to be persisted; the message gives the reason.
 *
 * <p>The resource is then not created.
 */
public final class StoreUnavailableException extends Exception {

  private static final long serialVersionUID = 1L;

  public StoreUnavailableException(String message) {
    super(message, null, false, false);
  }
}
