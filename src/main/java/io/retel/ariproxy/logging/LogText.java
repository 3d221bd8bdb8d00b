package io.retel.ariproxy.logging;

/** Makes a text that somebody else wrote fit for a log line and for a RESPONSE's message. */
public final class LogText {

  private static final int MAX_LENGTH = 200;

  private LogText() {}

  /** The text in one line, and not more of it than tells what it is. */
  public static String abbreviate(String text) {
    if (text == null) {
      return null;
    }
    String abbreviated =
        text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + "\u2026";
    return abbreviated.replaceAll("\\p{Cntrl}", " ");
  }
}
