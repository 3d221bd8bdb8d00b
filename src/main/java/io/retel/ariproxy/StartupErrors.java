package io.retel.ariproxy;

/** Says in one line why something did not start. */
final class StartupErrors {

  private StartupErrors() {}

  /** What failed and what is at the bottom of it; what is between them says the same again. */
  static String singleLine(Throwable throwable) {
    String rootMessage = String.valueOf(ErrorMessages.rootCause(throwable).getMessage());
    String topMessage = String.valueOf(throwable.getMessage());
    String message =
        topMessage.contains(rootMessage)
            ? topMessage
            : topMessage.lines().findFirst().orElse("") + ": " + rootMessage;
    return ErrorMessages.singleLine(message);
  }
}
