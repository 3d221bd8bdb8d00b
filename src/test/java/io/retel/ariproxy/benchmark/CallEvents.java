package io.retel.ariproxy.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;

/**
 * The events of calls as websocket frames: {@value #PER_CALL} events a call, about 900 bytes each.
 * Calls overlap: of each group of {@value #CALLS_AT_ONCE} calls all first events come, then all
 * second ones.
 *
 * <p>A frame is made by copying a template and writing the call's number and the time over it, so
 * that to send costs little beside what is measured.
 */
final class CallEvents {

  static final int PER_CALL = 10;
  static final int CALLS_AT_ONCE = 50;
  static final int PER_GROUP = PER_CALL * CALLS_AT_ONCE;

  private static final int SIZE = 900;
  private static final int HEADER = 4;
  private static final String NUMBER = "#########";
  private static final DateTimeFormatter TIMESTAMP =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxx").withZone(ZoneOffset.UTC);
  private static final String TIME = "@@@@-@@-@@T@@:@@:@@.@@@+0000";

  /** A frame, and where the call's number and the time stand in it. */
  private record Template(byte[] frame, int[] numbers, int time) {}

  private final List<Template> templates = new ArrayList<>();

  CallEvents(String app) {
    String start = "\"args\":[],";
    String dtmf = "\"digit\":\"5\",\"duration_ms\":120,";
    templates.add(template("StasisStart", start, app));
    templates.add(template("ChannelStateChange", "", app));
    templates.add(template("ChannelVarset", "\"variable\":\"LEVEL\",\"value\":\"2\",", app));
    templates.add(template("ChannelDtmfReceived", dtmf, app));
    templates.add(template("ChannelDtmfReceived", dtmf, app));
    templates.add(template("ChannelTalkingStarted", "", app));
    templates.add(template("ChannelTalkingFinished", "\"duration\":900,", app));
    templates.add(template("ChannelHangupRequest", "\"cause\":16,", app));
    templates.add(template("StasisEnd", "", app));
    templates.add(
        template("ChannelDestroyed", "\"cause\":16,\"cause_txt\":\"Normal Clearing\",", app));
  }

  /** The call that an event belongs to, counting both from 0. */
  static long callOf(long event) {
    return event / PER_GROUP * CALLS_AT_ONCE + event % CALLS_AT_ONCE;
  }

  /** The number of a call's nth event among all events. */
  static long eventOf(long call, int nth) {
    return call / CALLS_AT_ONCE * PER_GROUP + (long) nth * CALLS_AT_ONCE + call % CALLS_AT_ONCE;
  }

  /** The frames of the events {@code [from, from + count)}. */
  ByteBuf frames(long from, int count) {
    byte[] time = TIMESTAMP.format(Instant.now()).getBytes(StandardCharsets.US_ASCII);
    ByteBuf frames = Unpooled.buffer(count * (SIZE + HEADER));
    for (long event = from; event < from + count; event++) {
      Template template = templates.get((int) (event % PER_GROUP / CALLS_AT_ONCE));
      int at = frames.writerIndex();
      frames.writeBytes(template.frame());
      frames.setBytes(at + template.time(), time);
      long call = callOf(event);
      for (int number : template.numbers()) {
        writeNumber(frames, at + number, call);
      }
    }
    return frames;
  }

  /** The text of an event. */
  String text(long event) {
    ByteBuf frame = frames(event, 1);
    return frame.toString(HEADER, frame.readableBytes() - HEADER, StandardCharsets.US_ASCII);
  }

  private static void writeNumber(ByteBuf frames, int at, long number) {
    long left = number;
    for (int i = NUMBER.length() - 1; i >= 0; i--) {
      frames.setByte(at + i, '0' + (int) (left % 10));
      left /= 10;
    }
  }

  private static Template template(String type, String fields, String app) {
    String head =
        "{\"type\":\"" + type + "\",\"timestamp\":\"" + TIME + "\"," + fields + "\"channel\":";
    String channel =
        "{\"id\":\"1764000000."
            + NUMBER
            + "\",\"name\":\"PJSIP/carrier-"
            + NUMBER
            + "\",\"state\":\"Up\",\"protocol_id\":\"8f14e45f-ceea-467f-9575-"
            + NUMBER
            + "@10.20.30.40\",\"caller\":{\"name\":\"Ada\",\"number\":\"+4969123456\"},"
            + "\"connected\":{\"name\":\"\",\"number\":\"\"},\"accountcode\":\"customer-17\","
            + "\"dialplan\":{\"context\":\"from-carrier\",\"exten\":\"+496999\",\"priority\":3,"
            + "\"app_name\":\"Stasis\",\"app_data\":\""
            + app
            + "\"},"
            + "\"creationtime\":\"2026-11-25T10:00:00.000+0000\",\"language\":\"en\"";
    String tail = ",\"asterisk_id\":\"00:16:3e:aa:bb:cc\",\"application\":\"" + app + "\"}";
    String variables = ",\"channelvars\":{\"TENANT\":\"\",\"ROUTING\":\"%s\"}}";
    int left = SIZE - (head + channel + variables + tail).length() + 2;
    String json = head + channel + variables.formatted("r".repeat(Math.max(0, left))) + tail;
    byte[] text = json.getBytes(StandardCharsets.US_ASCII);
    byte[] frame = new byte[HEADER + text.length];
    frame[0] = (byte) 0x81; // one text frame
    frame[1] = 126; // its length is in the next two bytes
    frame[2] = (byte) (text.length >> 8);
    frame[3] = (byte) text.length;
    System.arraycopy(text, 0, frame, HEADER, text.length);
    List<Integer> numbers = new ArrayList<>();
    for (int at = json.indexOf(NUMBER); at >= 0; at = json.indexOf(NUMBER, at + 1)) {
      numbers.add(HEADER + at);
    }
    return new Template(
        frame, numbers.stream().mapToInt(Integer::intValue).toArray(), HEADER + json.indexOf(TIME));
  }
}
