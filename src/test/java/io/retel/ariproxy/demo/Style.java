// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import io.retel.ariproxy.fixtures.StandaloneProcess;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** A text style: an escape sequence on a terminal, plain text elsewhere. */
enum Style {
  PLAIN(""),
  BOLD("1"),
  DIM("2"),
  EVENT("36"),
  COMMAND("94"),
  SUCCESS("32"),
  CLIENT_ERROR("33"),
  SERVER_ERROR("1;31"),
  UNMAPPED("35");

  // white on blue, green, purple, brown, teal and pink of the 256 colors
  private static final int[] CALL_COLORS = {25, 28, 91, 130, 30, 125};
  private static final String RESET = "\u001b[0m";

  private final String code;

  Style(String code) {
    this.code = code;
  }

  String apply(String text) {
    return this == PLAIN ? text : escape(code, text);
  }

  /** Applies the color of a call, so that concurrent calls are distinguishable. */
  static String colorCall(int number, String text) {
    return escape("1;38;5;231;48;5;" + CALL_COLORS[number % CALL_COLORS.length], text);
  }

  private static String escape(String code, String text) {
    return "\u001b[" + code + "m" + text + RESET;
  }

  /** Returns the style of a response status. */
  static Style forStatus(int status) {
    return switch (status / 100) {
      case 2 -> SUCCESS;
      case 4 -> CLIENT_ERROR;
      default -> SERVER_ERROR;
    };
  }

  /**
   * Returns whether stdout is a terminal that shows colors and NO_COLOR is unset (no-color.org).
   */
  static boolean isEnabled() {
    String noColor = System.getenv("NO_COLOR");
    return (noColor == null || noColor.isEmpty())
        && !"dumb".equals(System.getenv("TERM"))
        && StandaloneProcess.isInteractive();
  }

  /** Returns the terminal width in columns, or the maximum if it is unknown. */
  static int columns() {
    if (!StandaloneProcess.isInteractive()) {
      return Screen.MAX_WIDTH;
    }
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(new File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String[] rowsAndColumns =
          new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
              .strip()
              .split(" ");
      int columns = Integer.parseInt(rowsAndColumns[rowsAndColumns.length - 1]);
      return columns > 0 ? columns : Screen.MAX_WIDTH;
    } catch (IOException | NumberFormatException e) {
      return Screen.MAX_WIDTH;
    }
  }
}
