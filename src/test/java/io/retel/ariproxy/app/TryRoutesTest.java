// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePropertyKey;
import org.apache.camel.Processor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TryRoutesTest {

  private static final Path EXAMPLES = Path.of("examples");

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final TryRoutes tried =
      new TryRoutes(
          Path.of("config", "application.properties"), RoutesUnderTest.settings(Map.of()));

  @TempDir private Path folder;

  @Test
  void printsStepsAndWhatWouldBeSent() throws IOException {
    copy("webhook.camel.yaml");
    assertThat(run(event("stasis-start"), event("stasis-end"), command("originate")))
        .as(output())
        .isTrue();

    assertThat(output())
        .contains(
            "Event stasis-start.json\n  events / filter connection-event\n",
            "events / process parse-event\n      body: StasisStart\n",
            "      property eventType: StasisEnd\n",
            "  => Kafka topic events, key ",
            "  webhook / to post-to-webhook\n  => POST http://localhost:8080/ended\n"
                + "      {\"type\":\"StasisEnd\"",
            "  => POST http://127.0.0.1:8088/ari/channels?channelId=",
            "{\"type\":\"RESPONSE\",\"callContext\":\"my-call\"")
        .endsWith("5 sent, no step failed\n")
        // objects without a text
        .doesNotContainPattern("io\\.retel\\.[\\w.$]+@");
  }

  @Test
  void printsRejectionOfCommand() throws IOException {
    Path shipped = Path.of("routes", "execute-command.camel.yaml");
    String steps = Files.readString(EXAMPLES.resolve("routes/block-destination.yaml"));
    String next = "        - process:\n            id: require-open-websocket\n";
    Files.writeString(
        folder.resolve("execute-command.camel.yaml"),
        Files.readString(shipped).replace(next, steps.replace("900", "100") + next));

    assertThat(run(command("originate"))).as(output()).isTrue();
    assertThat(output())
        .contains(
            "execute-command / process reject-command\n      rejected: Premium numbers are blocked\n",
            "\"status_code\":403")
        .doesNotContain("POST http://")
        .endsWith("1 sent, no step failed\n");
  }

  /** Camel's components prefer these headers to their options. */
  @Test
  void followsHeadersThatChooseTopicAndAddress() throws IOException {
    writeConsumer(
        """
                - setHeader: {id: site, name: site, constant: {expression: fra}}
                - setHeader: {id: address, name: CamelHttpUri, constant: {expression: "http://other:1/x"}}
                - to: {id: request, uri: "http://localhost:9/y"}
                - setHeader: {id: topic, name: kafka.OVERRIDE_TOPIC, constant: {expression: chosen}}
                - to: {id: record, uri: "kafka:unused"}
        """);
    assertThat(run(event("stasis-start"))).as(output()).isTrue();
    assertThat(output())
        .contains(
            "POST http://other:1/x\n", "=> Kafka topic chosen, key ", "      header site: fra\n")
        .doesNotContain("Kafka topic unused");
  }

  /** As a consumer of the topic would see it. */
  @Test
  void printsRecord() throws IOException {
    String value = "v".repeat(1_000);
    writeConsumer(
        """
                - removeHeaders: {id: remove, pattern: "*"}
                - setHeader: {id: site, name: site, constant: {expression: "fra\\nmuc"}}
                - setHeader: {id: long, name: long, constant: {expression: %1$s}}
                - setHeader: {id: key, name: kafka.KEY, constant: {expression: k}}
                - setHeader: {id: internal, name: CamelX, constant: {expression: k}}
                - setBody: {id: body, constant: {expression: %1$s}}
                - to: {id: record, uri: "kafka:other"}
                - loop:
                    id: more
                    constant: {expression: "30"}
                    steps:
                      - setHeader: {id: many, name: "n${exchangeProperty.CamelLoopIndex}", constant: {expression: m}}
                - to: {id: record-with-many, uri: "kafka:many"}
        """
            .formatted(value));
    assertThat(run(event("stasis-start"))).as(output()).isTrue();
    assertThat(output())
        .containsPattern(
            "=> Kafka topic other, key k\n      header long: v{200}.*\n      header site: fra\\\\nmuc\n"
                + "      v{1000}\n")
        .containsPattern(
            "=> Kafka topic many, key k\n(      header .*\n){20}      and 12 more headers\n      v{1000}\n");
  }

  /** The steps of a route configuration run in the route that has failed. */
  @Test
  void namesRouteOfErrorHandler() throws IOException {
    writeConsumer("        - log: {id: note, message: hello}\n");
    Path command = folder.resolve("command.json");
    Files.writeString(command, "{\"callContext\":\"c\",\"commandId\":\"1\"}");
    assertThat(run(new TryRoutes.Input(TryRoutes.Kind.COMMAND, command))).as(output()).isTrue();
    assertThat(output()).contains("  execute-command / process respond-").doesNotContain("null / ");
  }

  /** Camel sends none with a GET, unless an option of the endpoint requires it. */
  @Test
  void printsBodyOnlyIfItIsSent() throws IOException {
    writeConsumer(
        """
                - setBody: {id: write, constant: {expression: secret}}
                - to: {id: get, uri: "http://localhost:9/a?httpMethod=GET"}
                - setBody: {id: write-again, constant: {expression: search}}
                - to: {id: get-with-body, uri: "http://localhost:9/b?httpMethod=GET&getWithBody=true"}
        """);
    assertThat(run(event("stasis-start"))).as(output()).isTrue();
    assertThat(output())
        .contains("  => GET http://localhost:9/a\n  own / ")
        .contains("  => GET http://localhost:9/b\n      search\n");
  }

  @Test
  void answersRequestsWithFile() throws IOException {
    writeConsumer(
        """
                - to: {id: ask, uri: "http://localhost:9/customer"}
                - setHeader:
                    id: tier
                    name: tier
                    jsonpath: {expression: "$.tier", resultType: String}
        """);
    Path answer = folder.resolve("answer.json");
    Files.writeString(answer, "{\"tier\":\"gold\"}");
    assertThat(run(new TryRoutes.Input(TryRoutes.Kind.ANSWER, answer), event("stasis-start")))
        .as(output())
        .isTrue();
    assertThat(output()).contains("      header tier: gold\n");
  }

  @Test
  void countsNoErrorThatTheRouteCatches() throws IOException {
    writeStepThatFails("setBody: {id: default, constant: {expression: unknown}}");
    assertThat(run(event("stasis-start"))).as(output()).isTrue();
    assertThat(output())
        .contains("  own / setBody wrong\n  !! ", "      body: unknown\n")
        .endsWith("1 sent, no step failed\n");
  }

  @Test
  void countsErrorThatTheRouteThrowsAgain() throws IOException {
    writeStepThatFails("bean: {id: again, beanType: %s}".formatted(ThrowsAgain.class.getName()));
    assertThat(run(event("stasis-start"))).as(output()).isFalse();
    assertThat(output()).endsWith("1 sent, failed steps: 1\n");
  }

  /** Throws the error that was caught. */
  public static final class ThrowsAgain implements Processor {

    @Override
    public void process(Exchange exchange) throws Exception {
      throw exchange.getProperty(ExchangePropertyKey.EXCEPTION_CAUGHT, Exception.class);
    }
  }

  /**
   * @param caught the step that runs once the first one has failed
   */
  private void writeStepThatFails(String caught) throws IOException {
    writeConsumer(
        """
                - doTry:
                    id: try
                    steps:
                      - setBody: {id: wrong, simple: {expression: "${body.nothing}"}}
                    doCatch:
                      - id: catch
                        exception: [java.lang.Exception]
                        steps:
                          - %s
        """
            .formatted(caught));
  }

  @Test
  void runsSyntheticEvent() throws IOException {
    copy("webhook.camel.yaml");
    assertThat(run(event("stasis-start"), event("stasis-end-of-resync"))).as(output()).isTrue();
    assertThat(output()).contains("=> POST http://localhost:8080/ended\n", "synthesized_by");
  }

  @Test
  void namesRoutesWithoutMessage() throws IOException {
    writeConsumer("        - log: {id: note, message: hello}\n");
    // without its start, it has no call context
    assertThat(run(event("stasis-end"))).as(output()).isTrue();
    assertThat(output()).endsWith("own has received no message\n1 sent, no step failed\n");
    bytes.reset();
    assertThat(run(event("stasis-start"))).as(output()).isTrue();
    assertThat(output()).doesNotContain("has received no message");
  }

  @Test
  void namesStepThatFails() throws IOException {
    writeConsumer(
        """
                - setBody:
                    id: divide
                    simple: {expression: "${body.nothing}"}
        """);
    assertThat(run(event("stasis-start"))).isFalse();
    assertThat(output())
        .contains("  own / setBody divide\n  !! own.camel.yaml:6: ", "nothing")
        .endsWith("1 sent, failed steps: 1\n");
  }

  /** In production, each command would get a 500, and each event would be lost. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          execute-command, ${exchangeProperty.command.paramter('endpoint')} != null, filter typo
          events,          ${body.nothing} != null,                                  filter typo
          """)
  void namesBlockWhoseExpressionFails(String route, String expression, String step)
      throws IOException {
    insert(
        route,
        route.equals("events") ? "build-event-envelope" : "require-open-websocket",
        """
                - filter:
                    id: typo
                    simple:
                      expression: %s
                    steps:
                      - log: never
        """
            .formatted(expression));
    assertThat(run(event("stasis-start"), command("originate"))).as(output()).isFalse();
    assertThat(output()).contains("  %s / %s\n  !! ".formatted(route, step));
  }

  @Test
  void namesCallOfRouteThatDoesNotExist() throws IOException {
    insert(
        "events",
        "build-event-envelope",
        """
                - to:
                    id: typo
                    uri: direct:typo?block=false
        """);
    assertThat(run(event("stasis-start"))).as(output()).isFalse();
    assertThat(output()).contains("  events / to typo\n  !! ").endsWith("failed steps: 1\n");
  }

  @Test
  void escapesForeignText() throws IOException {
    writeConsumer(
        """
                - setBody:
                    simple: {expression: "${header[kafka.KEY]}"}
                - to: http://localhost:8080/
        """);
    Path event = folder.resolve("event.json");
    Files.writeString(
        event,
        Files.readString(EXAMPLES.resolve("messages/stasis-start.json"))
            .replace("\"channelvars\"", "\"other\"")
            .replaceFirst(
                "\"channel\"\\s*:\\s*\\{",
                "\"channel\":{\"channelvars\":{\"CALL_CONTEXT\":\"x\\\\n3 sent\\\\u001b[2J\"},"));
    assertThat(run(new TryRoutes.Input(TryRoutes.Kind.EVENT, event))).as(output()).isTrue();
    assertThat(output()).contains("POST http://localhost:8080/").doesNotContain("\u001b");
    assertThat(output().lines())
        .noneMatch(line -> line.startsWith("3 sent\\"))
        .hasSizeGreaterThan(9);
    assertThat(output().lines().filter(line -> line.startsWith("3 sent"))).isEmpty();
  }

  /** Of a route that calls itself, of retries without end, and on other threads. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "direct:again | - to: {id: once-more, uri: direct:again}",
        "direct:again | - setHeader: {id: x, name: x, constant: y}\\n        - to: {id: once-more, uri: direct:again}",
        "seda:again   | - to: {id: once-more, uri: seda:again}",
        "handover:again | - to: {id: once-more, uri: handover:again}",
        "direct:again | - doTry: {id: t, steps: [{to: {id: once-more, uri: direct:again}}],"
            + " doCatch: [{exception: [java.lang.Exception], steps: [{to: direct:again}]}]}",
      })
  void endsLoop(String uri, String steps) throws IOException {
    writeConsumer("        - to: {id: begin, uri: \"%s\"}\n".formatted(uri));
    Files.writeString(
        folder.resolve("again.camel.yaml"),
        """
        - route:
            id: again
            from:
              uri: %s
              steps:
                %s
        """
            .formatted(uri, steps.replace("\\n", "\n")));
    assertThat(run(event("stasis-start"))).as("run").isFalse();
    assertThat(output().lines().toList())
        .hasSizeLessThan(10_000)
        .last()
        .asString()
        .matches(
            "The dry run ended: step (x|t|once-more) of route again \\(again.camel.yaml:\\d+\\) runs"
                + " more than 400 times for one message: it may be in a loop");
  }

  @Test
  void endsRetriesWithoutEnd() throws IOException {
    writeConsumer(
        "        - throwException: {id: fails, exceptionType: java.io.IOException, message: x}\n");
    Path own = folder.resolve("own.camel.yaml");
    Files.writeString(
        own,
        Files.readString(own)
            .replace(
                "    id: own\n",
                """
                    id: own
                    errorHandler:
                      deadLetterChannel:
                        deadLetterUri: log:dead
                        redeliveryPolicy: {maximumRedeliveries: -1, redeliveryDelay: 0}
                """));
    assertThat(run(event("stasis-start"))).as("run").isFalse();
    assertThat(output()).contains("step fails of route own (own.camel.yaml:").endsWith("loop\n");
  }

  /** Such as one that a compiled route of lib/extra reads. */
  @Test
  void doesNotWaitForQueueWithoutConsumer() throws IOException {
    writeConsumer("        - to: {id: count, uri: \"seda:read-elsewhere\"}\n");
    assertThat(run(event("stasis-start"))).as(output()).isTrue();
  }

  @Test
  void limitsRunsForEachMessage() throws IOException {
    writeConsumer(
        """
                - loop: {id: many, constant: {expression: "300"}, steps: [{log: {id: note, message: x}}]}
        """);
    assertThat(run(event("stasis-start"), event("stasis-start"))).as("run").isTrue();
  }

  @Test
  void namesFileThatWouldNotLoad() throws IOException {
    Files.writeString(folder.resolve("own.camel.yaml"), "- rout: 1");
    assertThat(run(event("stasis-start"))).isFalse();
    assertThat(output()).isEqualTo(folder + "/own.camel.yaml:1: Unknown node id: rout\n");
  }

  /** Writes a shipped file with a step before another one. */
  private void insert(String route, String before, String steps) throws IOException {
    String yaml = Files.readString(Path.of("routes", route + ".camel.yaml"));
    String next = "        - process:\n            id: " + before + "\n";
    assertThat(yaml).contains(next);
    Files.writeString(folder.resolve(route + ".camel.yaml"), yaml.replace(next, steps + next));
  }

  private void copy(String route) throws IOException {
    Files.copy(EXAMPLES.resolve("routes").resolve(route), folder.resolve(route));
  }

  private static TryRoutes.Input event(String name) {
    return new TryRoutes.Input(
        TryRoutes.Kind.EVENT, EXAMPLES.resolve("messages").resolve(name + ".json"));
  }

  private static TryRoutes.Input command(String name) {
    return new TryRoutes.Input(
        TryRoutes.Kind.COMMAND, EXAMPLES.resolve("messages").resolve(name + ".json"));
  }

  private boolean run(TryRoutes.Input... inputs) {
    return tried.run(folder, List.of(inputs), new PrintStream(bytes, true, StandardCharsets.UTF_8));
  }

  private String output() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** Writes a file with a route that consumes events. */
  private void writeConsumer(String steps) throws IOException {
    Files.writeString(
        folder.resolve("own.camel.yaml"),
        """
        - route:
            id: own
            from:
              uri: kafka:events
              steps:
        """
            + steps);
  }
}
