// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Prints the traffic on Kafka, one line per envelope.
 *
 * <p>Lines fit a terminal of at least {@value #MIN_WIDTH} columns and are at most {@value
 * #MAX_WIDTH} wide.
 */
final class Screen {

  static final int MAX_WIDTH = 100;

  private static final int MIN_WIDTH = 56;

  private static final DateTimeFormatter SECONDS_FORMAT =
      DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter MILLISECONDS_FORMAT =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
  // ids such as 1763881331.12, and generated call contexts
  private static final Pattern CHANNEL_ID = Pattern.compile("\\d{8,}(\\d{2}\\.\\d+)");
  private static final Pattern UUID = Pattern.compile("([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}");

  private static final int TYPE_WIDTH = 24;
  private static final int STATUS_WIDTH = 5;
  private static final int LATENCY_WIDTH = 10;
  private static final int BOX_WIDTH = 19;
  private static final int SMALL_BOX_WIDTH = 15;
  private static final int TOPIC_WIDTH = 16;

  private final PrintStream out;
  private final boolean styled;
  private final int width;
  private final DateTimeFormatter timeFormat;
  // width of the event type column; 0 if the terminal is too narrow for one
  private final int typeWidth;
  // line width minus time, call, kind and arrow
  private final int detailWidth;

  Screen(PrintStream out, boolean styled, int columns) {
    this.out = out;
    this.styled = styled;
    width = Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, columns));
    boolean wide = width == MAX_WIDTH;
    timeFormat = wide ? MILLISECONDS_FORMAT : SECONDS_FORMAT;
    detailWidth = width - (wide ? 32 : 28);
    typeWidth = boxes(SMALL_BOX_WIDTH, 3) <= width ? TYPE_WIDTH : 0;
  }

  /** Clears Maven's output, so that the demo starts at the top of the screen. */
  void printTitle() {
    if (styled) {
      out.print("\u001b[2J\u001b[H");
    }
    printLine("");
    printLine(
        "  "
            + styleText(Style.BOLD, "ari-proxy")
            + "  Asterisk ARI over Kafka"
            + (width > 66 ? ", all in this process" : ""));
    printLine("");
  }

  /** Prints the components and how they are connected. */
  void printOverview(String kafka, String asterisk, String eventsTopic, String commandsTopic) {
    if (boxes(BOX_WIDTH, 4) <= width) {
      boxes(BOX_WIDTH, " ─→ ", " ←─ ", kafka, "simulated, " + asterisk);
    } else if (boxes(SMALL_BOX_WIDTH, 3) <= width) {
      boxes(SMALL_BOX_WIDTH, " → ", " ← ", kafka, "simulated");
    } else {
      printLine("  " + styleText(Style.BOLD, "call-controller ↔ Kafka ↔ ari-proxy ↔ Asterisk"));
    }
    printLine("");
    topic(Style.COMMAND, "COMMAND  →", commandsTopic, "every line below was read from Kafka");
    topic(Style.EVENT, "EVENT    ←", eventsTopic, "one color per call");
    topic(Style.SUCCESS, "RESPONSE ←", eventsTopic, "with the time since its command");
    printLine("");
    String ends = "  " + styleText(Style.BOLD, "Ctrl-C") + " stops the demo.";
    String edits = "Edits to " + styleText(Style.BOLD, "routes/") + " apply while calls are up.";
    if (width > 66) {
      printLine(ends + " " + edits);
    } else {
      printLine(ends);
      printLine("  " + edits);
    }
    printLine("");
  }

  private static int boxes(int box, int arrow) {
    return 2 + 4 * (box + 2) + 3 * arrow;
  }

  private void boxes(int box, String right, String left, String kafka, String asterisk) {
    String[][] boxes = {
      {"call-controller", "a Camel route"},
      {"Kafka", kafka},
      {"ari-proxy", "routes/*.yaml"},
      {"Asterisk", asterisk}
    };
    StringBuilder[] rows = new StringBuilder[4];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = new StringBuilder("  ");
    }
    for (int index = 0; index < boxes.length; index++) {
      String spacing = " ".repeat(index < boxes.length - 1 ? right.length() : 0);
      boolean last = spacing.isEmpty();
      rows[0].append(styleText(Style.DIM, "╭" + "─".repeat(box) + "╮")).append(spacing);
      rows[1]
          .append(border())
          .append(styleText(Style.BOLD, center(boxes[index][0], box)))
          .append(border())
          .append(last ? "" : styleText(Style.COMMAND, right));
      rows[2]
          .append(border())
          .append(center(boxes[index][1], box))
          .append(border())
          .append(last ? "" : styleText(Style.EVENT, left));
      rows[3].append(styleText(Style.DIM, "╰" + "─".repeat(box) + "╯")).append(spacing);
    }
    for (StringBuilder row : rows) {
      printLine(row.toString());
    }
  }

  private void topic(Style style, String kind, String name, String note) {
    String topic = "  topic " + pad(name, TOPIC_WIDTH);
    printLine(
        "  "
            + styleText(style, kind)
            + (typeWidth > 0 ? topic + styleText(Style.DIM, note) : topic.stripTrailing()));
  }

  /**
   * Prints an envelope.
   *
   * @param latency of a RESPONSE, in milliseconds; -1 if unknown
   */
  void show(Envelope envelope, Tally.Call call, long latency) {
    String details =
        switch (envelope.kind()) {
          case UNMAPPED ->
              formatTyped(Style.UNMAPPED, envelope.type(), Style.DIM, resource(envelope));
          case EVENT -> event(envelope, call);
          case COMMAND -> fit(request(envelope.json().path("ariCommand")), detailWidth);
          case RESPONSE -> response(envelope, latency);
        };
    printLine(
        styleText(Style.DIM, timeFormat.format(Instant.ofEpochMilli(envelope.timestamp())))
            + "  "
            + tag(call)
            + kind(envelope)
            + "  "
            + details);
  }

  /** Erases the ^C that the terminal echoed at the start of the line. */
  void eraseCtrlC() {
    if (styled) {
      out.print("\r\u001b[K");
    }
  }

  /** Prints the summary at the end. */
  void printSummary(String summary) {
    printLine("");
    int lastComma = summary.lastIndexOf(", ");
    if (summary.length() + 2 > width && lastComma > 0) {
      printLine("  " + styleText(Style.BOLD, summary.substring(0, lastComma + 1)));
      printLine("  " + styleText(Style.BOLD, summary.substring(lastComma + 2)));
    } else {
      printLine("  " + styleText(Style.BOLD, summary));
    }
    printLine("");
  }

  void printLine(String text) {
    out.println(text);
    out.flush();
  }

  private String tag(Tally.Call call) {
    if (call == null) {
      return "      ";
    }
    String tag = " #" + call.number() + " ";
    return (styled ? Style.colorCall(call.number(), tag) : tag)
        + " ".repeat(Math.max(1, 6 - tag.length()));
  }

  private String kind(Envelope envelope) {
    return switch (envelope.kind()) {
      case UNMAPPED -> styleText(Style.UNMAPPED, "UNMAPPED ←");
      case EVENT -> styleText(Style.EVENT, "EVENT    ←");
      case COMMAND -> styleText(Style.COMMAND, "COMMAND  →");
      case RESPONSE -> styleText(Style.forStatus(status(envelope)), "RESPONSE ←");
    };
  }

  private String event(Envelope envelope, Tally.Call call) {
    String details =
        switch (envelope.type()) {
          case "STASIS_START" ->
              envelope.textAt("/payload/channel/caller/number")
                  + " calls "
                  + envelope.textAt("/payload/channel/dialplan/exten")
                  + ", "
                  + context(envelope);
          case "STASIS_END" ->
              resource(envelope) + ", after " + seconds(call.durationUntil(envelope));
          case "CHANNEL_STATE_CHANGE" ->
              resource(envelope) + " is " + envelope.textAt("/payload/channel/state");
          case "CHANNEL_DTMF_RECEIVED" ->
              resource(envelope) + ", digit " + envelope.textAt("/payload/digit");
          case "PLAYBACK_FINISHED" ->
              resource(envelope) + " " + envelope.textAt("/payload/playback/state");
          default -> resource(envelope);
        };
    boolean isBoundary = envelope.hasType("STASIS_START") || envelope.hasType("STASIS_END");
    return formatTyped(
        isBoundary ? Style.BOLD : Style.PLAIN,
        envelope.type(),
        isBoundary ? Style.PLAIN : Style.DIM,
        details);
  }

  private String formatTyped(Style style, String name, Style detailsStyle, String details) {
    String padded = typeWidth == 0 ? name + "  " : pad(name, typeWidth);
    return styleText(style, padded)
        + styleText(detailsStyle, fit(details, Math.max(1, detailWidth - padded.length())));
  }

  private static String context(Envelope envelope) {
    String fromDialplan = envelope.textAt("/payload/channel/channelvars/CALL_CONTEXT");
    return fromDialplan.isEmpty()
        ? "context " + shorten(envelope.callContext())
        : "CALL_CONTEXT=" + fromDialplan;
  }

  private String response(Envelope envelope, long latency) {
    int status = status(envelope);
    // without the query, which is shown with the command
    String request = request(envelope.json().path("commandRequest")).replaceFirst("\\?.*", "");
    String error = status / 100 == 2 ? "" : "  " + envelope.textAt("/payload/body/message");
    String ms = latency < 0 ? "" : latency + " ms";
    int requestWidth = detailWidth - STATUS_WIDTH - LATENCY_WIDTH;
    String shown = fit(request + error, requestWidth);
    return styleText(Style.forStatus(status), Integer.toString(status))
        + "  "
        + styleText(Style.DIM, pad(shown, requestWidth))
        + " ".repeat(Math.max(1, LATENCY_WIDTH - ms.length()))
        + ms;
  }

  private static int status(Envelope envelope) {
    return envelope.json().at("/payload/status_code").asInt();
  }

  private static String request(JsonNode request) {
    return shorten(request.path("method").asText() + " " + request.path("url").asText());
  }

  private static String resource(Envelope envelope) {
    String type = envelope.textAt("/resources/0/type").toLowerCase(Locale.ROOT);
    return (type + " " + shorten(envelope.textAt("/resources/0/id"))).strip();
  }

  private static String shorten(String text) {
    return UUID.matcher(CHANNEL_ID.matcher(text).replaceAll("…$1")).replaceAll("$1…");
  }

  private static String seconds(long millis) {
    return String.format(Locale.ROOT, "%.1f s", millis / 1_000.0);
  }

  private String styleText(Style style, String text) {
    return styled ? style.apply(text) : text;
  }

  private String border() {
    return styleText(Style.DIM, "│");
  }

  private static String center(String text, int box) {
    int padding = Math.max(0, (box - text.length()) / 2);
    return pad(" ".repeat(padding) + text, box);
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static String fit(String text, int width) {
    return text.length() <= width
        ? text
        : text.substring(0, width - 1).replaceFirst("[ …]+$", "") + "…";
  }
}
