package io.retel.ariproxy;

/** Says in one line why something did not start. */
final class StartFailure {

  private StartFailure() {}

  /** What failed and what is at the bottom of it; what is between them says the same again. */
  static String inOneLine(Throwable thrown) {
    String bottom = String.valueOf(RootCause.of(thrown).getMessage());
    String top = String.valueOf(thrown.getMessage());
    String line = top.contains(bottom) ? top : top.lines().findFirst().orElse("") + ": " + bottom;
    return RootCause.inOneLine(line);
  }
}
