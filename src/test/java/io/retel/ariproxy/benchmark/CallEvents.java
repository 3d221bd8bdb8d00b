// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Events of calls as websocket frames: {@value #EVENTS_PER_CALL} events per call, about 900 bytes
 * each. Calls overlap: each group of {@value #OVERLAPPING_CALLS} calls sends all first events, then
 * all second ones, and so on.
 *
 * <p>A frame is a copied template with the call number and the time written into it, so that
 * sending costs little compared with the measured work.
 */
final class CallEvents {

  static final int EVENTS_PER_CALL = 10;
  static final int OVERLAPPING_CALLS = 50;
  static final int EVENTS_PER_GROUP = EVENTS_PER_CALL * OVERLAPPING_CALLS;

  private static final int EVENT_SIZE = 900;
  private static final int HEADER_SIZE = 4;
  private static final String NUMBER_PLACEHOLDER = "#########";
  private static final DateTimeFormatter TIMESTAMP_FORMAT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxx").withZone(ZoneOffset.UTC);
  private static final String TIME_PLACEHOLDER = "@@@@-@@-@@T@@:@@:@@.@@@+0000";

  /** A frame and the offsets of the call number and the time in it. */
  private record Template(byte[] frame, int[] numberOffsets, int timeOffset) {}

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

  /** Returns the call of an event, counting both from 0. */
  static long callIndex(long event) {
    return event / EVENTS_PER_GROUP * OVERLAPPING_CALLS + event % OVERLAPPING_CALLS;
  }

  /** Returns the index of a call's nth event among all events. */
  static long eventIndex(long call, int eventInCall) {
    return call / OVERLAPPING_CALLS * EVENTS_PER_GROUP
        + (long) eventInCall * OVERLAPPING_CALLS
        + call % OVERLAPPING_CALLS;
  }

  /** Returns the path of a call's channel in ARI. */
  static String channelPath(long call) {
    return "/channels/1764000000.%09d".formatted(call);
  }

  /** Returns the frames of events {@code [from, from + count)}. */
  ByteBuf frames(long from, int count) {
    byte[] time = TIMESTAMP_FORMAT.format(Instant.now()).getBytes(StandardCharsets.US_ASCII);
    ByteBuf frames = Unpooled.buffer(count * (EVENT_SIZE + HEADER_SIZE));
    for (long event = from; event < from + count; event++) {
      Template template = templates.get((int) (event % EVENTS_PER_GROUP / OVERLAPPING_CALLS));
      int offset = frames.writerIndex();
      frames.writeBytes(template.frame());
      frames.setBytes(offset + template.timeOffset(), time);
      long call = callIndex(event);
      for (int numberOffset : template.numberOffsets()) {
        writeNumber(frames, offset + numberOffset, call);
      }
    }
    return frames;
  }

  /** Returns the text of an event. */
  String text(long event) {
    ByteBuf frame = frames(event, 1);
    return frame.toString(
        HEADER_SIZE, frame.readableBytes() - HEADER_SIZE, StandardCharsets.US_ASCII);
  }

  /** Returns the first event of a call, with text that does not compress well. */
  static String large(String app, int length) {
    return "{\"type\":\"StasisStart\",\"timestamp\":\"2026-11-25T10:00:00.000+0000\","
        + "\"args\":[\""
        + noise(length)
        + "\"],\"channel\":{\"id\":\"large\",\"name\":\"PJSIP/large\",\"state\":\"Up\"},"
        + "\"application\":\""
        + app
        + "\"}";
  }

  /** Returns random letters. */
  static String noise(int length) {
    return new Random(0)
        .ints(length, 'A', 'z' + 1)
        .map(letter -> letter == '\\' ? 'a' : letter)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static void writeNumber(ByteBuf frames, int offset, long number) {
    long remaining = number;
    for (int i = NUMBER_PLACEHOLDER.length() - 1; i >= 0; i--) {
      frames.setByte(offset + i, '0' + (int) (remaining % 10));
      remaining /= 10;
    }
  }

  private static Template template(String type, String fields, String app) {
    String head =
        "{\"type\":\""
            + type
            + "\",\"timestamp\":\""
            + TIME_PLACEHOLDER
            + "\","
            + fields
            + "\"channel\":";
    String channel =
        "{\"id\":\"1764000000."
            + NUMBER_PLACEHOLDER
            + "\",\"name\":\"PJSIP/carrier-"
            + NUMBER_PLACEHOLDER
            + "\",\"state\":\"Up\",\"protocol_id\":\"8f14e45f-ceea-467f-9575-"
            + NUMBER_PLACEHOLDER
            + "@10.20.30.40\",\"caller\":{\"name\":\"Ada\",\"number\":\"+4969123456\"},"
            + "\"connected\":{\"name\":\"\",\"number\":\"\"},\"accountcode\":\"customer-17\","
            + "\"dialplan\":{\"context\":\"from-carrier\",\"exten\":\"+496999\",\"priority\":3,"
            + "\"app_name\":\"Stasis\",\"app_data\":\""
            + app
            + "\"},"
            + "\"creationtime\":\"2026-11-25T10:00:00.000+0000\",\"language\":\"en\"";
    String tail = ",\"asterisk_id\":\"00:16:3e:aa:bb:cc\",\"application\":\"" + app + "\"}";
    String variables = ",\"channelvars\":{\"TENANT\":\"\",\"ROUTING\":\"%s\"}}";
    int padding = EVENT_SIZE - (head + channel + variables + tail).length() + 2;
    String json = head + channel + variables.formatted("r".repeat(Math.max(0, padding))) + tail;
    byte[] text = json.getBytes(StandardCharsets.US_ASCII);
    byte[] frame = new byte[HEADER_SIZE + text.length];
    frame[0] = (byte) 0x81; // final text frame
    frame[1] = 126; // the next two bytes hold the length
    frame[2] = (byte) (text.length >> 8);
    frame[3] = (byte) text.length;
    System.arraycopy(text, 0, frame, HEADER_SIZE, text.length);
    List<Integer> numberOffsets = new ArrayList<>();
    for (int index = json.indexOf(NUMBER_PLACEHOLDER);
        index >= 0;
        index = json.indexOf(NUMBER_PLACEHOLDER, index + 1)) {
      numberOffsets.add(HEADER_SIZE + index);
    }
    return new Template(
        frame,
        numberOffsets.stream().mapToInt(Integer::intValue).toArray(),
        HEADER_SIZE + json.indexOf(TIME_PLACEHOLDER));
  }
}
