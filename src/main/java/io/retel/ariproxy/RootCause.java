package io.retel.ariproxy;

/** Says what is at the bottom of a failure. */
public final class RootCause {

  private RootCause() {}

  /** Its message, or its kind if it has none, in one line. */
  public static String inOneLine(Throwable thrown) {
    Throwable root = of(thrown);
    String message = root.getMessage();
    return message == null || message.isBlank()
        ? root.getClass().getSimpleName()
        : inOneLine(message);
  }

  /** What is at the bottom. */
  static Throwable of(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }

  static String inOneLine(String message) {
    return message.strip().replaceAll("\\s*\\R\\s*", " | ");
  }
}
