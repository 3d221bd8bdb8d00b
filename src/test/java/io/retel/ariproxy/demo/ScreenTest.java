// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.demo.Envelope.Kind;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScreenTest {

  private static final String START =
      """
      {"type": "STASIS_START", "callContext": "8b2f0a4e-58f7-4f0d-9c7e-0a4b3b0f1c2d",
       "resources": [{"type": "CHANNEL", "id": "1532965104.0"}],
       "payload": {"channel": {"caller": {"number": "555-0137"}, "dialplan": {"exten": "100"}}}}
      """;
  private static final String HANGUP =
      """
      {"type": "CHANNEL_HANGUP_REQUEST", "callContext": "8b2f0a4e-58f7-4f0d-9c7e-0a4b3b0f1c2d",
       "resources": [{"type": "CHANNEL", "id": "1532965104.0"}]}
      """;
  private static final String COMMAND =
      """
      {"callContext": "8b2f0a4e-58f7-4f0d-9c7e-0a4b3b0f1c2d", "commandId": "1", "ariCommand":
       {"method": "POST", "url": "/channels/1532965104.0/play/greeting-1532965104.0?media=sound:hello"}}
      """;
  private static final String RESPONSE =
      """
      {"type": "RESPONSE", "callContext": "8b2f0a4e-58f7-4f0d-9c7e-0a4b3b0f1c2d", "commandId": "1",
       "commandRequest": {"method": "POST", "url": "/channels/1532965104.0/play/greeting"},
       "payload": {"status_code": 404, "body": {"message": "Channel not found"}}}
      """;

  @ParameterizedTest
  @ValueSource(ints = {56, 60, 79, 80, 99, 100, 200})
  void fitsTerminalWidth(int columns) throws Exception {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    Screen screen =
        new Screen(new PrintStream(output, false, StandardCharsets.UTF_8), false, columns);
    Tally tally = new Tally();

    screen.printTitle();
    screen.printOverview("127.0.0.1:29999", ":45678", "ari-events", "ari-commands");
    show(screen, tally, Kind.EVENT, START);
    show(screen, tally, Kind.UNMAPPED, HANGUP);
    show(screen, tally, Kind.EVENT, HANGUP);
    show(screen, tally, Kind.COMMAND, COMMAND);
    show(screen, tally, Kind.EVENT, RESPONSE);
    screen.printSummary("1000 calls, 12000 events, 6000 commands, every command got a RESPONSE");

    List<String> lines = output.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines)
        .allMatch(line -> line.length() <= Math.min(columns, Screen.MAX_WIDTH))
        .anyMatch(line -> line.contains("STASIS_START  ") && line.contains("555-0137"))
        .anyMatch(line -> line.contains("COMMAND  →  POST /channels/"))
        .anyMatch(line -> line.contains("RESPONSE ←  404"))
        .anyMatch(line -> line.endsWith("every command got a RESPONSE"));
  }

  private static void show(Screen screen, Tally tally, Kind kind, String json) throws Exception {
    Envelope envelope = Envelope.of(kind, 1_532_965_104_000L, new ObjectMapper().readTree(json));
    screen.show(
        envelope, kind == Kind.UNMAPPED ? null : tally.call(envelope), tally.count(envelope));
  }
}
