package io.retel.ariproxy.callcontext.store;

/**
 * A call context is not known to be kept, and so nothing is created that would depend on it; the
 * message says why.
 */
public final class StoreUnavailableException extends Exception {

  private static final long serialVersionUID = 1L;

  public StoreUnavailableException(String message) {
    super(message, null, false, false);
  }
}
