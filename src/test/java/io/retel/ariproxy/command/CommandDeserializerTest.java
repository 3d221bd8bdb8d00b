// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests what remains of records that are too large to be commands. */
class CommandDeserializerTest {

  private static final int MAX_BODY = 1_000;
  private static final int MAX_SIZE = 256 * 1024 + 6 * MAX_BODY;
  private static final String LARGE = "x".repeat(MAX_SIZE + 1);

  private final CommandDeserializer deserializer = new CommandDeserializer(MAX_BODY);

  @Test
  void returnsRecordUpToLimitUnchanged() {
    byte[] value = "x".repeat(MAX_SIZE).getBytes(UTF_8);
    assertThat(deserializer.deserialize("topic", value)).isEqualTo(value);
    assertThat(deserializer.deserialize("topic", new RecordHeaders(), buffer(value)))
        .isEqualTo(value);
    assertThat(deserializer.deserialize("topic", new RecordHeaders(), (ByteBuffer) null)).isNull();
  }

  @Test
  void acceptsEveryBodyWithinItsLimit() {
    String escaped = "\\u0041".repeat(MAX_BODY - 2);
    byte[] value = "{\"ariCommand\":{\"body\":\"%s\"}}".formatted(escaped).getBytes(UTF_8);
    assertThat(deserializer.deserialize("topic", value)).isEqualTo(value);
  }

  /** Whitespace and escapes do not count: they are not sent. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'%s'",
        "['%s']",
        "{'a':'%s'}",
        "[[1,2],{'b':[3],'c':4},'%s']",
        "{ 'a' : [ 1 , 2 ] ,\n 'b' : '%s' , 'c' : { 'd' : 5 } }"
      })
  void rejectsBodyThatIsTooLargeAsSent(String format) throws Exception {
    int others = CommandParser.JSON.readTree(json(format.formatted(""))).toString().length();
    for (int size : new int[] {MAX_BODY - 1, MAX_BODY, MAX_BODY + 1}) {
      String body = format.formatted("\\u0041".repeat(size - others));
      String command = "{'x':{'body':1},'ariCommand':{'url':'/x','v':[1],'body':%s},'y':[]}";
      assertThat(deserializer.deserialize("topic", json(command.formatted(body)).getBytes(UTF_8)))
          .as("%d bytes", size)
          .isInstanceOf(size > MAX_BODY ? LargeRecord.class : byte[].class);
    }
  }

  private static String json(String text) {
    return text.replace('\'', '"');
  }

  @Test
  void readsBodyThatIsTooLargeWithoutTree() {
    String body = "[" + "[],".repeat(45_000) + "0]";
    byte[] value =
        "{\"callContext\":\"call\",\"ariCommand\":{\"method\":\"POST\",\"url\":\"/x\",\"body\":%s}}"
            .formatted(body)
            .getBytes(UTF_8);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    LargeRecord large = null;
    long allocated = 0;
    for (int i = 0; i < 10; i++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      large = (LargeRecord) deserializer.deserialize("topic", value);
      allocated = threads.getCurrentThreadAllocatedBytes() - before;
    }
    assertThat(large.problem())
        .isEqualTo("The command's body has more than 1000 bytes (ari.max-request-body)");
    assertThat(large.fields())
        .hasToString(
            "{\"callContext\":\"call\",\"ariCommand\":{\"method\":\"POST\",\"url\":\"/x\"}}");
    assertThat(allocated).isLessThan(value.length);
  }

  @Test
  void retainsFieldsOfResponse() {
    LargeRecord large =
        large(
            """
            {"other": "%s", "callContext": "call", "ariCommand": {"body": {"v": "%s", "url": 1},
            "method": "POST" , "url":"/channels"}, "x": [[{}]], "commandId": {"n": [1, 2.50]}}\
            """
                .formatted(LARGE, LARGE));
    assertThat(large.problem())
        .matches(
            "The command has 5\\d{5} bytes; the limit is " + MAX_SIZE + " \\(it depends on .*");
    assertThat(large.fields())
        .hasToString(
            """
            {"callContext":"call","ariCommand":{"method":"POST","url":"/channels"},\
            "commandId":{"n":[1,2.50]}}\
            """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"42", "-1.50", "true", "null", "\"é,\""})
  void retainsScalarsWithSeparators(String value) {
    for (String format :
        List.of(
            "{'x':'%s','callContext':%s,'commandId':%s,'ariCommand':{'url':%s,'method':%s}}",
            "{'x':'%s','callContext' : %s , 'commandId':\n"
                + "%s\n"
                + ",\n"
                + "'ariCommand':{'url':%s ,'method':%s } }")) {
      assertThat(
              large(format.replace('\'', '"').formatted(LARGE, value, value, value, value))
                  .fields())
          .as(format)
          .hasToString(
              "{'callContext':%s,'commandId':%s,'ariCommand':{'url':%s,'method':%s}}"
                  .replace('\'', '"')
                  .replace("%s", value.replace(" ", "")));
    }
  }

  /** A controller chooses the type of its id only. */
  @ParameterizedTest
  @ValueSource(strings = {"[1, 2]", "{\"a\":1}", "{ }"})
  void retainsListsAndObjectsOfIdOnly(String value) {
    assertThat(
            large(
                    "{'x':'%s','callContext':%s,'commandId': %s ,'ariCommand':{'url':%s,'method':%s}}"
                        .replace('\'', '"')
                        .formatted(LARGE, value, value, value, value))
                .fields())
        .hasToString("{\"commandId\":%s,\"ariCommand\":{}}".formatted(value.replace(" ", "")));
  }

  @Test
  void retainsNoFieldsOfNestedCommands() {
    String nested = "{'ariCommand':{'url':'u','ariCommand':{'url':'v'}},'x':'%s'}";
    assertThat(large(nested.replace('\'', '"').formatted(LARGE)).fields())
        .hasToString("{\"ariCommand\":{\"url\":\"u\"}}");
  }

  @Test
  void retainsFieldsAfterManyValues() {
    String record = "{'x':[" + "0,".repeat(MAX_SIZE) + "0],'callContext':'call','commandId':1}";
    assertThat(large(record.replace('\'', '"')).fields())
        .hasToString("{\"callContext\":\"call\",\"commandId\":1}");
  }

  /** A tree of the shortest values takes 20 times the heap of its JSON. */
  @Test
  void retainsNoTrees() {
    String id = "[" + "[],".repeat(20_000) + "0]";
    LargeRecord large = large("{\"commandId\":%s,\"x\":\"%s\"}".formatted(id, LARGE));
    assertThat(large.fields().get("commandId").isPojo()).isTrue();
    assertThat(large.fields().get("commandId")).hasToString(id);
  }

  @Test
  void dropsLargeFields() {
    assertThat(
            large(
                    "{\"callContext\": \"%s\", \"commandId\": [\"%s\"], \"ariCommand\": {\"url\": \"u\"}}"
                        .formatted(LARGE, LARGE))
                .fields())
        .hasToString("{\"ariCommand\":{\"url\":\"u\"}}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"%s", "[\"%s\"]", "\"%s\"", "{\"%s\": 1}", "{\"callContext\": %s", ""})
  void retainsNothingOfOtherContent(String format) {
    String content = format.isEmpty() ? "[".repeat(MAX_SIZE + 1) : format.formatted(LARGE);
    assertThat(large(content).fields()).isEmpty();
  }

  @Test
  void retainsFieldsBeforeAnError() {
    assertThat(large("{\"callContext\": \"call\", \"commandId\": 1, %s".formatted(LARGE)).fields())
        .hasToString("{\"callContext\":\"call\"}");
    assertThat(
            large(
                    "{\"callContext\": \"call\", \"commandId\": 1e99999999999, \"x\": \"%s\"}"
                        .formatted(LARGE))
                .fields())
        .hasToString("{\"callContext\":\"call\"}");
  }

  private LargeRecord large(String content) {
    byte[] value = content.getBytes(UTF_8);
    LargeRecord fromArray = (LargeRecord) deserializer.deserialize("topic", value);
    assertThat(deserializer.deserialize("topic", new RecordHeaders(), buffer(value)))
        .as("from within a buffer")
        .isEqualTo(fromArray);
    assertThat(
            deserializer.deserialize(
                "topic", new RecordHeaders(), buffer(value).asReadOnlyBuffer()))
        .isEqualTo(fromArray);
    return fromArray;
  }

  /** Returns a buffer as Kafka passes it: a slice of a larger one. */
  private static ByteBuffer buffer(byte[] value) {
    ByteBuffer all = ByteBuffer.allocate(value.length + 20);
    all.position(7).put(value);
    return all.position(3).slice().position(4).limit(4 + value.length);
  }
}
