// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.command.CommandParser;
import io.retel.ariproxy.command.RecordPosition;
import io.retel.ariproxy.config.EventResourcesFormat;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The exact text of RESPONSE envelopes. */
class ResponseEnvelopeTest {

  private static final String DELETE =
      "{'callContext':'CALL_CONTEXT','commandId':'COMMAND_ID',"
          + "'ariCommand':{'method':'DELETE','url':'/ari/channels/1538054167.95404'}}";

  private final CommandParser parser =
      new CommandParser(
          new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));

  @Test
  void emptyBodyIsOmitted() {
    assertThat(response(DELETE, CommandResult.of(204, null, new byte[0])))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':'CALL_CONTEXT','commandsTopic':'commands',"
                    + "'commandId':'COMMAND_ID','commandRequest':{'method':'DELETE',"
                    + "'url':'/ari/channels/1538054167.95404'},"
                    + "'resources':[{'type':'CHANNEL','id':'1538054167.95404'}],"
                    + "'payload':{'status_code':204}}"));
  }

  @Test
  void jsonBodyIsUnchanged() {
    String body = "{ 'id' : 'é\\u00e9', 'n':1.50 }";
    assertThat(
            response(
                DELETE,
                CommandResult.of(
                    200, "application/json", text(body).getBytes(StandardCharsets.UTF_8))))
        .endsWith(text("'payload':{'status_code':200,'body':" + body + "}}"));
  }

  @Test
  void binaryBodyIsBase64() {
    assertThat(
            response(
                DELETE, CommandResult.of(200, "audio/wav", new byte[] {'R', 'I', 'F', 'F', 0})))
        .endsWith(
            text(
                "'payload':{'status_code':200,"
                    + "'body':{'content_type':'audio/wav','base64':'UklGRgA='}}}"));
  }

  @Test
  void longBase64HasNoLineBreaks() {
    assertThat(response(DELETE, CommandResult.of(200, "audio/wav", new byte[1_000])))
        .contains("A".repeat(1_333) + "=")
        .doesNotContain("\\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"NOT_SENT", "UNKNOWN", "ANSWERED"})
  void failureHasMessageAndOutcome(String outcome) {
    assertThat(
            response(
                DELETE,
                new CommandResult.Failure(
                    503, "Asterisk is \"down\"", CommandResult.Outcome.valueOf(outcome))))
        .endsWith(
            "\"payload\":{\"status_code\":503,\"body\":{\"message\":\"Asterisk is \\\"down\\\"\","
                + "\"outcome\":\""
                + outcome.toLowerCase(Locale.ROOT)
                + "\"}}}");
  }

  @Test
  void missingCommandIdIsOmitted() {
    assertThat(response("{'callContext':'c','ariCommand':{'method':'GET','url':'/x'}}"))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':'c','commandsTopic':'commands',"
                    + "'commandRequest':{'method':'GET','url':'/x'},'resources':[],"
                    + "'payload':{'status_code':204}}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"17", "12345678901234567890123", "{'a':[1,null]}", "''", "false"})
  void commandIdOfAnyTypeIsUnchanged(String id) {
    assertThat(response("{'commandId':" + id + ",'ariCommand':{'method':'GET','url':'/x'}}"))
        .contains(text(",'commandId':" + id + ",'commandRequest'"));
  }

  @Test
  void missingCallContextIsNull() {
    assertThat(response("{'ariCommand':{'method':'GET','url':'/x'}}"))
        .startsWith(text("{'type':'RESPONSE','callContext':null,"));
  }

  @Test
  void malformedCommandHasNullRequest() {
    assertThat(response("nonsense"))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':null,'commandsTopic':'commands',"
                    + "'commandRequest':null,'resources':[],'payload':{'status_code':204}}"));
  }

  @Test
  void missingUrlIsNull() {
    assertThat(response("{'ariCommand':{'method':'GET'}}"))
        .contains(text("'commandRequest':{'method':'GET','url':null}"));
  }

  @Test
  void unpairedSurrogatesAreEscapedAndNeverAnId() {
    assertThat(
            response(
                "{'callContext':'\\ud800','commandId':'\\udc00','ariCommand':{"
                    + "'method':'\\ud800x','url':'/\\udfff😀'}}"))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':null,'commandsTopic':'commands',"
                    + "'commandRequest':{'method':'\\uD800x',"
                    + "'url':'/\\uDFFF\\uD83D\\uDE00'},'resources':[],"
                    + "'payload':{'status_code':204}}"));
  }

  @Test
  void urlIsUnchanged() {
    assertThat(response("{'ariCommand':{'method':'POST','url':'/ari/bridges?type=mixing'}}"))
        .contains(text("'commandRequest':{'method':'POST','url':'/ari/bridges?type=mixing'}"));
  }

  private String response(String command) {
    return response(command, new CommandResult.Status(204));
  }

  private String response(String json, CommandResult result) {
    Command command =
        parser.parse(
            new RecordPosition("commands", 0, 1, null, Instant.EPOCH),
            text(json).getBytes(StandardCharsets.UTF_8));
    Envelopes envelopes = new Envelopes("commands", EventResourcesFormat.OBJECT);
    return new String(
        envelopes.response(command.original(), command.resources(), result),
        StandardCharsets.UTF_8);
  }

  private static String text(String json) {
    return json.replace('\'', '"');
  }
}
