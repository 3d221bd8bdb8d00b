package io.retel.ariproxy;

/** Says what is at the bottom of a failure. */
public final class ErrorMessages {

  private ErrorMessages() {}

  /** Its message, or its kind if it has none, in one line. */
  public static String singleLine(Throwable throwable) {
    Throwable root = rootCause(throwable);
    String message = root.getMessage();
    return message == null || message.isBlank()
        ? root.getClass().getSimpleName()
        : singleLine(message);
  }

  /** What is at the bottom. */
  static Throwable rootCause(Throwable throwable) {
    Throwable root = throwable;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }

  static String singleLine(String message) {
    return message.strip().replaceAll("\\s*\\R\\s*", " | ");
  }
}
