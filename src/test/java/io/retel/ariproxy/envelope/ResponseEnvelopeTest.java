package io.retel.ariproxy.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.command.AriAnswer;
import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.command.CommandReader;
import io.retel.ariproxy.command.Origin;
import io.retel.ariproxy.envelope.Envelopes.EventResourcesForm;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The exact text of RESPONSEs. */
class ResponseEnvelopeTest {

  private static final String DELETE =
      "{'callContext':'CALL_CONTEXT','commandId':'COMMAND_ID',"
          + "'ariCommand':{'method':'DELETE','url':'/ari/channels/1538054167.95404'}}";

  private final CommandReader reader =
      new CommandReader(
          new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));

  @Test
  void withoutABody() {
    assertThat(response(DELETE, AriAnswer.of(204, null, new byte[0])))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':'CALL_CONTEXT','commandsTopic':'commands',"
                    + "'commandId':'COMMAND_ID','commandRequest':{'method':'DELETE',"
                    + "'url':'/ari/channels/1538054167.95404'},"
                    + "'resources':[{'type':'CHANNEL','id':'1538054167.95404'}],"
                    + "'payload':{'status_code':204}}"));
  }

  @Test
  void withJsonAsAsteriskSentIt() {
    String body = "{ 'id' : 'é\\u00e9', 'n':1.50 }";
    assertThat(
            response(
                DELETE,
                AriAnswer.of(200, "application/json", text(body).getBytes(StandardCharsets.UTF_8))))
        .endsWith(text("'payload':{'status_code':200,'body':" + body + "}}"));
  }

  @Test
  void withBytesAsBase64() {
    assertThat(response(DELETE, AriAnswer.of(200, "audio/wav", new byte[] {'R', 'I', 'F', 'F', 0})))
        .endsWith(
            text(
                "'payload':{'status_code':200,"
                    + "'body':{'content_type':'audio/wav','base64':'UklGRgA='}}}"));
  }

  @Test
  void withLongBytesInOneLine() {
    assertThat(response(DELETE, AriAnswer.of(200, "audio/wav", new byte[1_000])))
        .contains("A".repeat(1_333) + "=")
        .doesNotContain("\\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"NOT_SENT", "UNKNOWN", "ANSWERED"})
  void withAFailure(String outcome) {
    assertThat(
            response(
                DELETE,
                new AriAnswer.Failure(503, "It is \"away\"", AriAnswer.Outcome.valueOf(outcome))))
        .endsWith(
            "\"payload\":{\"status_code\":503,\"body\":{\"message\":\"It is \\\"away\\\"\","
                + "\"outcome\":\""
                + outcome.toLowerCase(Locale.ROOT)
                + "\"}}}");
  }

  @Test
  void withoutACommandId() {
    assertThat(response("{'callContext':'c','ariCommand':{'method':'GET','url':'/x'}}"))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':'c','commandsTopic':'commands',"
                    + "'commandRequest':{'method':'GET','url':'/x'},'resources':[],"
                    + "'payload':{'status_code':204}}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"17", "12345678901234567890123", "{'a':[1,null]}", "''", "false"})
  void withACommandIdThatIsNoText(String id) {
    assertThat(response("{'commandId':" + id + ",'ariCommand':{'method':'GET','url':'/x'}}"))
        .contains(text(",'commandId':" + id + ",'commandRequest'"));
  }

  @Test
  void withoutACallContext() {
    assertThat(response("{'ariCommand':{'method':'GET','url':'/x'}}"))
        .startsWith(text("{'type':'RESPONSE','callContext':null,"));
  }

  @Test
  void toWhatIsNoCommand() {
    assertThat(response("nonsense"))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':null,'commandsTopic':'commands',"
                    + "'commandRequest':null,'resources':[],'payload':{'status_code':204}}"));
  }

  @Test
  void toACommandWithoutAUrl() {
    assertThat(response("{'ariCommand':{'method':'GET'}}"))
        .contains(text("'commandRequest':{'method':'GET','url':null}"));
  }

  @Test
  void toACommandThatIsFullOfHalfCharacters() {
    assertThat(
            response(
                "{'callContext':'\\ud800','commandId':'\\udc00','ariCommand':{"
                    + "'method':'\\ud800x','url':'/\\udfff😀'}}"))
        .isEqualTo(
            text(
                "{'type':'RESPONSE','callContext':'\\uD800','commandsTopic':'commands',"
                    + "'commandId':'\\uDC00','commandRequest':{'method':'\\uD800x',"
                    + "'url':'/\\uDFFF\\uD83D\\uDE00'},'resources':[],"
                    + "'payload':{'status_code':204}}"));
  }

  @Test
  void theUrlIsTheControllersOwn() {
    assertThat(response("{'ariCommand':{'method':'POST','url':'/ari/bridges?type=mixing'}}"))
        .contains(text("'commandRequest':{'method':'POST','url':'/ari/bridges?type=mixing'}"));
  }

  private String response(String command) {
    return response(command, new AriAnswer.Status(204));
  }

  private String response(String json, AriAnswer answer) {
    Command command =
        reader.read(
            new Origin("commands", 0, 1, null, Instant.EPOCH),
            text(json).getBytes(StandardCharsets.UTF_8));
    Envelopes envelopes = new Envelopes("commands", EventResourcesForm.OBJECT);
    return new String(envelopes.response(command, answer), StandardCharsets.UTF_8);
  }

  private static String text(String json) {
    return json.replace('\'', '"');
  }
}
