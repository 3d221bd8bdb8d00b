package io.retel.ariproxy.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Shows what goes through Kafka, a line for each envelope.
 *
 * <p>Lines fit a terminal of {@value #NARROWEST} columns or more; they are at most {@value #WIDTH}
 * wide.
 */
final class Screen {

  static final int WIDTH = 100;

  private static final int NARROWEST = 56;

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneId.systemDefault());
  private static final DateTimeFormatter MILLISECONDS =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
  // ids such as 1763881331.12, and generated call contexts
  private static final Pattern CHANNEL_ID = Pattern.compile("\\d{8,}(\\d{2}\\.\\d+)");
  private static final Pattern UUID = Pattern.compile("([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}");

  private static final int TYPE = 24;
  private static final int STATUS = 5;
  private static final int LATENCY = 10;
  private static final int BOX = 19;
  private static final int SMALL_BOX = 15;
  private static final int TOPIC = 16;

  private final PrintStream out;
  private final boolean styled;
  private final int width;
  private final DateTimeFormatter time;
  // of the event's type; 0 in a terminal that has no room for a column of its own
  private final int type;
  // what time, call, kind and arrow leave of a line
  private final int rest;

  Screen(PrintStream out, boolean styled, int columns) {
    this.out = out;
    this.styled = styled;
    width = Math.max(NARROWEST, Math.min(WIDTH, columns));
    boolean wide = width == WIDTH;
    time = wide ? MILLISECONDS : SECONDS;
    rest = width - (wide ? 32 : 28);
    type = boxes(SMALL_BOX, 3) <= width ? TYPE : 0;
  }

  /** Maven has been talking: the demo begins at the top of the screen. */
  void title() {
    if (styled) {
      out.print("\u001b[2J\u001b[H");
    }
    line("");
    line(
        "  "
            + in(Style.BOLD, "ari-proxy")
            + "  Asterisk's ARI over Kafka"
            + (width > 66 ? ", all of it in this process" : ""));
    line("");
  }

  /** What runs where. */
  void parts(String kafka, String asterisk, String eventsTopic, String commandsTopic) {
    if (boxes(BOX, 4) <= width) {
      boxes(BOX, " ─→ ", " ←─ ", kafka, "simulated, " + asterisk);
    } else if (boxes(SMALL_BOX, 3) <= width) {
      boxes(SMALL_BOX, " → ", " ← ", kafka, "simulated");
    } else {
      line("  " + in(Style.BOLD, "call-controller ↔ Kafka ↔ ari-proxy ↔ Asterisk"));
    }
    line("");
    topic(Style.COMMAND, "COMMAND  →", commandsTopic, "each line below was read from Kafka");
    topic(Style.EVENT, "EVENT    ←", eventsTopic, "one color for each call");
    topic(Style.SUCCESS, "RESPONSE ←", eventsTopic, "with the time since its command was sent");
    line("");
    String ends = "  " + in(Style.BOLD, "Ctrl-C") + " ends it.";
    String edits = "Edits in " + in(Style.BOLD, "routes/") + " take effect while calls are up.";
    if (width > 66) {
      line(ends + " " + edits);
    } else {
      line(ends);
      line("  " + edits);
    }
    line("");
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
    for (int at = 0; at < boxes.length; at++) {
      String between = " ".repeat(at < boxes.length - 1 ? right.length() : 0);
      boolean last = between.isEmpty();
      rows[0].append(in(Style.DIM, "╭" + "─".repeat(box) + "╮")).append(between);
      rows[1]
          .append(side())
          .append(in(Style.BOLD, center(boxes[at][0], box)))
          .append(side())
          .append(last ? "" : in(Style.COMMAND, right));
      rows[2]
          .append(side())
          .append(center(boxes[at][1], box))
          .append(side())
          .append(last ? "" : in(Style.EVENT, left));
      rows[3].append(in(Style.DIM, "╰" + "─".repeat(box) + "╯")).append(between);
    }
    for (StringBuilder row : rows) {
      line(row.toString());
    }
  }

  private void topic(Style style, String kind, String name, String note) {
    String topic = "  topic " + pad(name, TOPIC);
    line("  " + in(style, kind) + (type > 0 ? topic + in(Style.DIM, note) : topic.stripTrailing()));
  }

  /**
   * Shows an envelope.
   *
   * @param latency of a response, in milliseconds; -1 if it is not known
   */
  void show(Envelope envelope, Tally.Call call, long latency) {
    String what =
        switch (envelope.kind()) {
          case UNMAPPED -> typed(Style.UNMAPPED, envelope.type(), Style.DIM, resource(envelope));
          case EVENT -> event(envelope, call);
          case COMMAND -> fit(request(envelope.json().path("ariCommand")), rest);
          case RESPONSE -> response(envelope, latency);
        };
    line(
        in(Style.DIM, time.format(Instant.ofEpochMilli(envelope.timestamp())))
            + "  "
            + tag(call)
            + kind(envelope)
            + "  "
            + what);
  }

  /** The terminal has written ^C where the next line begins. */
  void takeBackCtrlC() {
    if (styled) {
      out.print("\r\u001b[K");
    }
  }

  /** The last words. */
  void end(String summary) {
    line("");
    int end = summary.lastIndexOf(", ");
    if (summary.length() + 2 > width && end > 0) {
      line("  " + in(Style.BOLD, summary.substring(0, end + 1)));
      line("  " + in(Style.BOLD, summary.substring(end + 2)));
    } else {
      line("  " + in(Style.BOLD, summary));
    }
    line("");
  }

  void line(String text) {
    out.println(text);
    out.flush();
  }

  private String tag(Tally.Call call) {
    if (call == null) {
      return "      ";
    }
    String tag = " #" + call.number() + " ";
    return (styled ? Style.call(call.number(), tag) : tag)
        + " ".repeat(Math.max(1, 6 - tag.length()));
  }

  private String kind(Envelope envelope) {
    return switch (envelope.kind()) {
      case UNMAPPED -> in(Style.UNMAPPED, "UNMAPPED ←");
      case EVENT -> in(Style.EVENT, "EVENT    ←");
      case COMMAND -> in(Style.COMMAND, "COMMAND  →");
      case RESPONSE -> in(Style.ofStatus(status(envelope)), "RESPONSE ←");
    };
  }

  private String event(Envelope envelope, Tally.Call call) {
    String details =
        switch (envelope.type()) {
          case "STASIS_START" ->
              envelope.at("/payload/channel/caller/number")
                  + " calls "
                  + envelope.at("/payload/channel/dialplan/exten")
                  + ", "
                  + context(envelope);
          case "STASIS_END" -> resource(envelope) + ", after " + seconds(call.lasted(envelope));
          case "CHANNEL_STATE_CHANGE" ->
              resource(envelope) + " is " + envelope.at("/payload/channel/state");
          case "CHANNEL_DTMF_RECEIVED" ->
              resource(envelope) + " pressed " + envelope.at("/payload/digit");
          case "PLAYBACK_FINISHED" ->
              resource(envelope) + " " + envelope.at("/payload/playback/state");
          default -> resource(envelope);
        };
    boolean turn = envelope.is("STASIS_START") || envelope.is("STASIS_END");
    return typed(
        turn ? Style.BOLD : Style.PLAIN, envelope.type(), turn ? Style.PLAIN : Style.DIM, details);
  }

  private String typed(Style style, String name, Style detailsStyle, String details) {
    String padded = type == 0 ? name + "  " : pad(name, type);
    return in(style, padded) + in(detailsStyle, fit(details, Math.max(1, rest - padded.length())));
  }

  private static String context(Envelope envelope) {
    String fromDialplan = envelope.at("/payload/channel/channelvars/CALL_CONTEXT");
    return fromDialplan.isEmpty()
        ? "context " + shorten(envelope.callContext())
        : "CALL_CONTEXT=" + fromDialplan;
  }

  private String response(Envelope envelope, long latency) {
    int status = status(envelope);
    // the query has been seen in the command
    String request = request(envelope.json().path("commandRequest")).replaceFirst("\\?.*", "");
    String why = status / 100 == 2 ? "" : "  " + envelope.at("/payload/body/message");
    String ms = latency < 0 ? "" : latency + " ms";
    int room = rest - STATUS - LATENCY;
    String shown = fit(request + why, room);
    return in(Style.ofStatus(status), Integer.toString(status))
        + "  "
        + in(Style.DIM, pad(shown, room))
        + " ".repeat(Math.max(1, LATENCY - ms.length()))
        + ms;
  }

  private static int status(Envelope envelope) {
    return envelope.json().at("/payload/status_code").asInt();
  }

  private static String request(JsonNode request) {
    return shorten(request.path("method").asText() + " " + request.path("url").asText());
  }

  private static String resource(Envelope envelope) {
    String type = envelope.at("/resources/0/type").toLowerCase(Locale.ROOT);
    return (type + " " + shorten(envelope.at("/resources/0/id"))).strip();
  }

  private static String shorten(String text) {
    return UUID.matcher(CHANNEL_ID.matcher(text).replaceAll("…$1")).replaceAll("$1…");
  }

  private static String seconds(long millis) {
    return String.format(Locale.ROOT, "%.1f s", millis / 1_000.0);
  }

  private String in(Style style, String text) {
    return styled ? style.on(text) : text;
  }

  private String side() {
    return in(Style.DIM, "│");
  }

  private static String center(String text, int box) {
    int left = Math.max(0, (box - text.length()) / 2);
    return pad(" ".repeat(left) + text, box);
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
