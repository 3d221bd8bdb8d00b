// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.vertx.core.buffer.Buffer;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Channels, bridges and playbacks of a simulated Asterisk, each channel in its own call, and the
 * requests for them: how many are sent at once, and how many of these for lists.
 */
final class StubState {

  private static final String PLAYBACKS = "/ari/playbacks/";

  private final String app;
  private final Map<String, Buffer> lists;
  private final AtomicInteger requests = new AtomicInteger();
  private final AtomicInteger mostRequests = new AtomicInteger();
  private final AtomicInteger listRequests = new AtomicInteger();
  private final AtomicInteger mostListRequests = new AtomicInteger();

  /**
   * @param bytes of each channel in a list
   */
  StubState(String app, int channels, int bridges, int bytes) {
    this.app = app;
    this.lists =
        Map.of(
            "/ari/applications",
            Buffer.buffer(
                "[{\"name\":\"%s\",\"channel_ids\":%s,\"bridge_ids\":[],\"endpoint_ids\":[],\"device_names\":[],\"events_allowed\":[],\"events_disallowed\":[]}]"
                    .formatted(app, list(channels, i -> '"' + channelId(i) + '"'))),
            "/ari/channels",
            Buffer.buffer(list(channels, i -> channel(i, bytes))),
            "/ari/bridges",
            Buffer.buffer(list(bridges, this::bridge)));
  }

  private static String list(int size, IntFunction<String> element) {
    return IntStream.range(0, size).mapToObj(element).collect(Collectors.joining(",", "[", "]"));
  }

  private static String channelId(int channel) {
    return "1764100000." + channel;
  }

  private String channel(int channel, int bytes) {
    String json =
        """
        {"id":"%s","name":"PJSIP/carrier-%08x","state":"Up","caller":{"name":"Ada","number":"+4969123456"},\
        "connected":{"name":"","number":""},"accountcode":"","dialplan":{"context":"from-carrier",\
        "exten":"+496999","priority":3,"app_name":"Stasis","app_data":"%s"},\
        "creationtime":"2026-11-25T10:00:00.000+0000","language":"en","channelvars":{"X":""}}"""
            .formatted(channelId(channel), channel, app);
    String padding = "x".repeat(Math.max(0, bytes - json.length()));
    return json.replace("\"X\":\"\"", "\"X\":\"" + padding + '"');
  }

  private String bridge(int bridge) {
    return """
        {"id":"bridge-%d","technology":"simple_bridge","bridge_type":"mixing","bridge_class":"base",\
        "creator":"Stasis","name":"","channels":["%s"],"creationtime":"2026-11-25T10:00:00.000+0000",\
        "video_mode":"none"}"""
        .formatted(bridge, channelId(bridge));
  }

  /** Returns the event of a bridge that the channel with its number enters. */
  String bridgeEntered(int bridge) {
    return """
        {"type":"ChannelEnteredBridge","timestamp":"2026-11-25T10:00:00.000+0000","bridge":%s,\
        "channel":%s,"asterisk_id":"00:16:3e:aa:bb:cc","application":"%s"}"""
        .formatted(bridge(bridge), channel(bridge, 0), app);
  }

  /** Returns the event of a playback on the channel with its number. */
  String playbackStarted(int playback) {
    return """
        {"type":"PlaybackStarted","timestamp":"2026-11-25T10:00:00.000+0000","playback":{"id":"playback-%d",\
        "media_uri":"sound:hello","target_uri":"channel:%s","language":"en","state":"playing"},\
        "asterisk_id":"00:16:3e:aa:bb:cc","application":"%s"}"""
        .formatted(playback, channelId(playback), app);
  }

  boolean responds(String path) {
    return lists.containsKey(path) || path.startsWith(PLAYBACKS);
  }

  void onRequest(String path) {
    mostRequests.accumulateAndGet(requests.incrementAndGet(), Math::max);
    if (lists.containsKey(path)) {
      mostListRequests.accumulateAndGet(listRequests.incrementAndGet(), Math::max);
    }
  }

  void onResponse(String path) {
    requests.decrementAndGet();
    if (lists.containsKey(path)) {
      listRequests.decrementAndGet();
    }
  }

  Buffer response(String path) {
    Buffer list = lists.get(path);
    if (list != null) {
      return list;
    }
    return Buffer.buffer(
        "{\"id\":\"" + path.substring(PLAYBACKS.length()) + "\",\"state\":\"playing\"}");
  }

  /** The most requests at once. */
  int mostRequests() {
    return mostRequests.get();
  }

  /** The most requests for lists at once. */
  int mostListRequests() {
    return mostListRequests.get();
  }
}
