package io.retel.ariproxy.tls;

/**
 * A file does not have what it should; the message says in one line which file, and what is wrong.
 */
public final class PemException extends Exception {

  private static final long serialVersionUID = 1L;

  PemException(String message) {
    super(message, null, false, false);
  }
}
