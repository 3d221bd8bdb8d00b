package io.retel.ariproxy.logging;

/** Makes a text that somebody else wrote fit for a log line and for a RESPONSE's message. */
public final class Shortened {

  private static final int MOST = 200;

  private Shortened() {}

  /** The text in one line, and not more of it than tells what it is. */
  public static String text(String text) {
    if (text == null) {
      return null;
    }
    String cut = text.length() <= MOST ? text : text.substring(0, MOST) + "\u2026";
    return cut.replaceAll("\\p{Cntrl}", " ");
  }
}
