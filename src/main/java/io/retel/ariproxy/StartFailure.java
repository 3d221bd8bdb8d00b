package io.retel.ariproxy;

/** Says in one line why something did not start. */
final class StartFailure {

  private StartFailure() {}

  /** What failed and what is at the bottom of it; what is between them says the same again. */
  static String inOneLine(Throwable thrown) {
    Throwable root = thrown;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    String bottom = String.valueOf(root.getMessage());
    String top = String.valueOf(thrown.getMessage());
    String line = top.contains(bottom) ? top : top.lines().findFirst().orElse("") + ": " + bottom;
    return line.replaceAll("\\s*\\R\\s*", " | ");
  }
}
