package io.retel.ariproxy.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.regex.Pattern;

/** Shows what goes through Kafka, a line for each envelope, at most 100 columns wide. */
final class Screen {

  static final int WIDTH = 100;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneId.systemDefault());
  // ids such as 1763881331.12, and generated call contexts
  private static final Pattern CHANNEL_ID = Pattern.compile("\\d{8,}(\\d{2}\\.\\d+)");
  private static final Pattern UUID = Pattern.compile("([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}");

  private static final int TYPE = 24;
  private static final int STATUS = 5;
  private static final int LATENCY = 10;
  private static final int BOX = 19;
  // what time, call, kind and arrow leave of a line
  private static final int REST = 68;

  private final PrintStream out;
  private final boolean styled;

  Screen(PrintStream out, boolean styled) {
    this.out = out;
    this.styled = styled;
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
            + "  Asterisk's ARI over Kafka, all of it in this process");
    line("");
  }

  /** What runs where. */
  void parts(String kafka, String asterisk, String eventsTopic, String commandsTopic) {
    String[][] boxes = {
      {"call-controller", "a Camel route"},
      {"Kafka", kafka},
      {"ari-proxy", "routes/*.yaml"},
      {"Asterisk", "simulated, " + asterisk}
    };
    StringBuilder[] rows = new StringBuilder[4];
    for (int row = 0; row < rows.length; row++) {
      rows[row] = new StringBuilder("  ");
    }
    for (int box = 0; box < boxes.length; box++) {
      rows[0].append(in(Style.DIM, "╭" + "─".repeat(BOX) + "╮"));
      rows[1].append(side()).append(in(Style.BOLD, center(boxes[box][0]))).append(side());
      rows[2].append(side()).append(center(boxes[box][1])).append(side());
      rows[3].append(in(Style.DIM, "╰" + "─".repeat(BOX) + "╯"));
      if (box < boxes.length - 1) {
        rows[0].append("    ");
        rows[1].append(in(Style.COMMAND, " ─→ "));
        rows[2].append(in(Style.EVENT, " ←─ "));
        rows[3].append("    ");
      }
    }
    for (StringBuilder row : rows) {
      line(row.toString());
    }
    line("");
    topic(Style.COMMAND, "COMMAND  →", commandsTopic, "each line below was read from Kafka");
    topic(Style.EVENT, "EVENT    ←", eventsTopic, "one color for each call");
    topic(Style.SUCCESS, "RESPONSE ←", eventsTopic, "with the time since its command was sent");
    line("");
    line(
        "  "
            + in(Style.BOLD, "Ctrl-C")
            + " ends it. What you edit in "
            + in(Style.BOLD, "routes/")
            + " meanwhile, the proxy takes over while calls are up.");
    line("");
  }

  private void topic(Style style, String kind, String name, String note) {
    line("  " + in(style, kind) + "  topic " + pad(name, 16) + in(Style.DIM, note));
  }

  /**
   * Shows an envelope.
   *
   * @param latency of a response, in milliseconds; -1 if it is not known
   */
  void show(Envelope envelope, Tally.Call call, long latency) {
    String rest =
        switch (envelope.kind()) {
          case UNMAPPED ->
              in(Style.UNMAPPED, pad(envelope.type(), TYPE))
                  + in(Style.DIM, fit(resource(envelope), REST - TYPE));
          case EVENT -> event(envelope, call);
          case COMMAND -> fit(request(envelope.json().path("ariCommand")), REST);
          case RESPONSE -> response(envelope, latency);
        };
    line(
        in(Style.DIM, TIME.format(Instant.ofEpochMilli(envelope.timestamp())))
            + "  "
            + tag(call)
            + kind(envelope)
            + "  "
            + rest);
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
    line("  " + in(Style.BOLD, summary));
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
    return in(turn ? Style.BOLD : Style.PLAIN, pad(envelope.type(), TYPE))
        + in(turn ? Style.PLAIN : Style.DIM, fit(details, REST - TYPE));
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
    int width = REST - STATUS - LATENCY;
    String shown = fit(request + why, width);
    return in(Style.ofStatus(status), Integer.toString(status))
        + "  "
        + in(Style.DIM, pad(shown, width))
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

  private static String center(String text) {
    int left = Math.max(0, (BOX - text.length()) / 2);
    return pad(" ".repeat(left) + text, BOX);
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }

  private static String fit(String text, int width) {
    return text.length() <= width ? text : text.substring(0, width - 1) + "…";
  }
}
