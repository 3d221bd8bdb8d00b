// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.command.CommandParser;
import io.retel.ariproxy.command.RecordPosition;
import io.retel.ariproxy.config.EventResourcesFormat;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.docs.MarkdownPage.CodeBlock;
import io.retel.ariproxy.fixtures.golden.GoldenEvent;
import io.retel.ariproxy.fixtures.recording.RecordedTraffic;
import io.retel.ariproxy.fixtures.schema.EnvelopeSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The schemas in the jar match published envelopes and accepted commands. */
class EnvelopeSchemasTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String EVENT =
      "{'type':'STASIS_START','callContext':'c','commandsTopic':'t','commandId':null,"
          + "'commandRequest':null,'resources':[{'type':'CHANNEL','id':'a'}],"
          + "'payload':{'type':'StasisStart'}}";
  private static final String RESPONSE =
      "{'type':'RESPONSE','callContext':'c','commandsTopic':'t','commandId':'1',"
          + "'commandRequest':{'method':'GET','url':'/channels'},'resources':[],"
          + "'payload':{'status_code':200,'body':[]}}";
  private static final String COMMAND =
      "{'callContext':'c','commandId':'1','expiresAt':'2026-11-23T12:00:00.5Z',"
          + "'ariCommand':{'method':'POST','url':'/ari/channels?app=a%20b','body':{'a':1}}}";

  @ParameterizedTest
  @EnumSource
  void schemaConformsToItsDraft(EnvelopeSchema schema) {
    assertThat(schema.draftViolations()).isEmpty();
  }

  static Stream<GoldenEvent> goldenRecords() {
    return GoldenEvent.all().stream().filter(golden -> golden.envelope() != null);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("goldenRecords")
  void goldenRecordsMatchEventSchema(GoldenEvent golden) {
    assertThat(EnvelopeSchema.EVENT.violations(json(golden.envelope()))).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void everyResourcesFormatMatchesEventSchema(EventResourcesFormat format) {
    Envelopes envelopes = new Envelopes("commands", format);
    AriEvent event = AriEvent.parse("{\"type\":\"StasisEnd\"}");
    for (List<Resource> resources :
        List.of(List.<Resource>of(), List.of(new Resource(ResourceType.CHANNEL, "c")))) {
      for (List<String> callContexts : List.of(List.<String>of(), List.of("call", "other"))) {
        byte[] envelope = envelopes.event(new MappedEvent(event, "call", resources), callContexts);
        assertThat(EnvelopeSchema.EVENT.violations(json(envelope))).isEmpty();
      }
    }
  }

  static Stream<CommandResult> results() {
    return Stream.of(
        new CommandResult.Status(204),
        CommandResult.of(
            200, "application/json", "[{\"id\":\"c\"}]".getBytes(StandardCharsets.UTF_8)),
        CommandResult.of(404, null, "{\"message\":\"no\"}".getBytes(StandardCharsets.UTF_8)),
        CommandResult.of(200, "audio/wav", new byte[] {'R', 'I', 'F', 'F', 0}),
        CommandResult.of(599, "text/html", new byte[] {'<'}),
        new CommandResult.Failure(400, "Invalid", CommandResult.Outcome.NOT_SENT),
        new CommandResult.Failure(504, "Timed out", CommandResult.Outcome.UNKNOWN),
        new CommandResult.Failure(413, "Too large", CommandResult.Outcome.ANSWERED));
  }

  @Test
  void resultsCoverEveryKind() {
    assertThat(results().map(CommandResult::getClass).distinct())
        .hasSameSizeAs(CommandResult.class.getPermittedSubclasses());
  }

  @ParameterizedTest
  @MethodSource("results")
  void everyResultMatchesResponseSchema(CommandResult result) {
    CommandParser parser =
        new CommandParser(
            new CallContexts(Duration.ofHours(1), Duration.ofMinutes(1), Ticker.disabledTicker()));
    Envelopes envelopes = new Envelopes("commands", EventResourcesFormat.ARRAY);
    for (String value :
        List.of(
            COMMAND,
            "{'commandId':{'a':[1]},'ariCommand':{'method':'DELETE','url':'/channels/c'}}",
            "{'ariCommand':{'method':'POST','url':'/channels/c/snoop?app=a&spy=in'}}",
            "{'ariCommand':{'method':'GET'}}",
            "nonsense")) {
      Command command =
          parser.parse(
              new RecordPosition("commands", 0, 1, null, Instant.EPOCH),
              value.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
      assertThat(
              EnvelopeSchema.RESPONSE.violations(
                  json(
                      new String(
                          envelopes.response(command.original(), command.resources(), result),
                          StandardCharsets.UTF_8))))
          .isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource
  void recordedRequestsMatchCommandSchema(RecordedTraffic recording) {
    assertThat(recording.commands("call"))
        .allSatisfy(
            command -> assertThat(EnvelopeSchema.COMMAND.violations(json(command))).isEmpty());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        COMMAND,
        "{'ariCommand':{'method':'GET','url':'/channels'}}",
        "{'callContext':null,'commandId':null,'expiresAt':null,"
            + "'ariCommand':{'method':'GET','url':'/channels','body':null}}"
      })
  void acceptsCommandWithoutOptionalFields(String command) {
    assertThat(EnvelopeSchema.COMMAND.violations(json(command))).isEmpty();
  }

  static Stream<CodeBlock> documentedExamples() {
    return MarkdownPage.codeBlocks("json").stream();
  }

  @ParameterizedTest
  @MethodSource("documentedExamples")
  void documentedExampleMatchesSchema(CodeBlock block) {
    JsonNode example = json(block.text());
    assertThat(schemaOf(example).violations(example)).as(block.toString()).isEmpty();
  }

  @Test
  void everyEnvelopeHasDocumentedExample() {
    assertThat(documentedExamples().map(block -> schemaOf(json(block.text()))))
        .contains(EnvelopeSchema.values());
  }

  private static EnvelopeSchema schemaOf(JsonNode example) {
    if (example.has("ariCommand")) {
      return EnvelopeSchema.COMMAND;
    }
    return example.path("type").asText().equals("RESPONSE")
        ? EnvelopeSchema.RESPONSE
        : EnvelopeSchema.EVENT;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'type':'StasisStart'",
        "'type':'RESPONSE'",
        "'callContext':''",
        "'callContext':7",
        "'commandsTopic':null",
        "'commandId':'1'",
        "'commandRequest':{}",
        "'resources':[{'type':'SIP','id':'a'}]",
        "'resources':[{'type':'CHANNEL'}]",
        "'payload':'{}'",
        "'payload':{}",
        "'something':1"
      })
  void rejectsInvalidEvent(String change) {
    assertChangeViolates(EnvelopeSchema.EVENT, EVENT, change);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'type':'STASIS_START'",
        "'callContext':''",
        "'commandRequest':{'method':'GET'}",
        "'resources':null",
        "'payload':{'body':{}}",
        "'payload':{'status_code':'200'}",
        "'payload':{'status_code':503,'body':{'message':'no','outcome':'lost'}}",
        "'payload':{'status_code':200,'body':{'content_type':'a/b','base64':'-'}}",
        "'something':1"
      })
  void rejectsInvalidResponse(String change) {
    assertChangeViolates(EnvelopeSchema.RESPONSE, RESPONSE, change);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'callContext':7",
        "'expiresAt':'tomorrow'",
        "'ariCommand':null",
        "'ariCommand':{'method':'GET'}",
        "'ariCommand':{'method':'PATCH','url':'/channels'}",
        "'ariCommand':{'method':'GET','url':'http://example.org/'}",
        "'ariCommand':{'method':'GET','url':'//example.org/'}",
        "'ariCommand':{'method':'GET','url':'/channels#a'}"
      })
  void rejectsInvalidCommand(String change) {
    assertChangeViolates(EnvelopeSchema.COMMAND, COMMAND, change);
  }

  /** Asserts that the envelope matches the schema, and violates it after the change. */
  private static void assertChangeViolates(EnvelopeSchema schema, String envelope, String change) {
    assertThat(schema.violations(json(envelope))).isEmpty();
    // of two fields with the same name, the last one wins
    String changed = envelope.substring(0, envelope.length() - 1) + "," + change + "}";
    assertThat(schema.violations(json(changed))).isNotEmpty();
  }

  private static JsonNode json(byte[] text) {
    try {
      return JSON.readTree(text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode json(String text) {
    String json = text.startsWith("{'") ? text.replace('\'', '"') : text;
    return json(json.getBytes(StandardCharsets.UTF_8));
  }
}
