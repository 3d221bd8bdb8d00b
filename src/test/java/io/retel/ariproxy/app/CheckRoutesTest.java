// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.config.InvalidSettingException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CheckRoutesTest {

  private static final String ROUTE =
      """
      - route:
          id: %s
          from:
            uri: direct:%1$s
            steps:
              - log: hello
              - %s
      """;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CheckRoutes check =
      new CheckRoutes(
          Path.of("config", "application.properties"), RoutesUnderTest.settings(Map.of()));

  @TempDir private Path folder;

  @Test
  void namesFileLineAndReason() throws IOException {
    write("bean", "process: {ref: nobody}");
    write(
        "bean-and-type",
        "setVariable: {name: type, constant: x}\n        - process: {ref: nobody}");
    write("component", "to: nowhere:at-all");
    write("data-format", "unmarshal: {protobuf: {}}");
    write("language", "setBody: {groovy: {expression: body}}");
    write("language-of-two-letters", "setBody: {jq: {expression: .id}}");
    write("option", "to: log:name?levl=INFO");
    write("placeholder", "to: \"log:{{not.a.setting}}\"");
    write("step", "unmarschal: {json: {}}");
    write("valid", "unmarshal: {json: {}}");
    write("yaml", "log: [");
    Files.createFile(folder.resolve("empty.camel.yaml"));
    Files.writeString(folder.resolve("zz-again.camel.yaml"), ROUTE.formatted("valid", "log: x"));
    Files.writeString(
        folder.resolve("zz-publish.camel.yaml"), ROUTE.formatted("publish", "log: x"));

    assertThat(run()).isFalse();
    List<String> lines = lines();
    assertLine(lines, "bean.camel.yaml:7: No bean could be found in the registry for: nobody");
    assertLine(lines, "bean-and-type.camel.yaml:8: No bean could be found");
    assertLine(lines, "component.camel.yaml:7: ", "nowhere");
    assertLine(lines, "data-format.camel.yaml:7: ", "protobuf");
    assertLine(lines, "language.camel.yaml:7: ", "groovy");
    assertLine(lines, "language-of-two-letters.camel.yaml:7: ", "jq");
    assertLine(lines, "option.camel.yaml:7: ", "levl");
    assertLine(lines, "placeholder.camel.yaml:7: ", "not.a.setting");
    assertLine(lines, "step.camel.yaml:7: Unknown node id: unmarschal");
    assertLine(lines, "valid.camel.yaml: ok, valid");
    assertLine(lines, "yaml.camel.yaml:8: ");
    assertLine(lines, "empty.camel.yaml: is empty");
    assertLine(lines, "zz-again.camel.yaml: the id valid belongs to valid.camel.yaml");
    assertLine(lines, "zz-publish.camel.yaml: the id publish belongs to publish.camel.yaml");
    assertThat(lines).hasSize(15).last().isEqualTo("13 of 14 files would not load");
  }

  @ParameterizedTest
  @CsvSource({
    "publish, '    id: publish\n', '    id: publish\n    autoStartup: \"false\"\n', the required route publish never starts",
    "publish, '    id: publish\n', '    id: another\n', the required route publish is missing",
    "publish, '    id: publish\n', '    id: publish\n    precondition: \"{{?never}}\"\n', the required route publish is not created",
    "events,  'routeConfigurationId: event-errors', 'routeConfigurationId: event-error', no route configuration has the id event-error",
    "events,  '- route:', '- intercept:\n    steps:\n      - stop: {}\n- route:', intercept and interceptFrom are not",
  })
  void rejectsShippedFileThatWouldLoseMessages(
      String route, String original, String replacement, String reason) throws IOException {
    String shipped = Files.readString(Path.of("routes", route + ".camel.yaml"));
    assertThat(shipped).contains(original);
    Files.writeString(
        folder.resolve(route + ".camel.yaml"), shipped.replace(original, replacement));
    assertThat(run()).isFalse();
    assertLine(lines(), route + ".camel.yaml", reason);
  }

  @ParameterizedTest
  @CsvSource({
    "'- interceptSendToEndpoint: {uri: \"kafka:*\", steps: []}', applies to the routes of all files",
    "'- intercept-send-to-endpoint: {uri: \"kafka:*\", steps: []}', applies to the routes of all files",
    "'- routeConfiguration: {id: own, interceptSendToEndpoint: [{interceptSendToEndpoint: {uri: \"kafka:*\"}}]}', applies to the routes of all files",
    "'- routeConfiguration: {id: own, intercept: [{intercept: {}}]}', intercept and interceptFrom are not",
    "'- routeTemplate: {id: own, from: {uri: \"direct:own\"}}', a route template creates no route",
    "'- templatedRoute: {routeTemplateRef: own, routeId: x}', a route template creates no route",
  })
  void rejectsElementThatHasAnotherEffect(String element, String reason) throws IOException {
    Files.writeString(folder.resolve("own.camel.yaml"), element + "\n");
    assertThat(run()).isFalse();
    assertLine(lines(), "own.camel.yaml", reason);
  }

  @Test
  void acceptsInterceptOfOwnRoutes() throws IOException {
    Files.writeString(
        folder.resolve("own.camel.yaml"),
        "- intercept:\n    steps:\n      - log: x\n" + ROUTE.formatted("own", "log: x"));
    assertThat(run()).as("%s", lines()).isTrue();
  }

  @Test
  void acceptsRouteWithoutId() throws IOException {
    Files.writeString(
        folder.resolve("own.camel.yaml"),
        "- from:\n    uri: timer:x\n    steps:\n      - log: x\n");
    assertThat(run()).isTrue();
    assertThat(lines().get(0)).endsWith("/own.camel.yaml: ok");
  }

  /** Whether its server is up would decide whether commands are accepted. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "ahc-ws:other:8088/ari/events?app=a",
        "ahc-wss:other:8089/ari/events?app=a",
        "ahc-{{ari.websocket}}/events?app=a"
      })
  void rejectsSecondWebsocket(String uri) throws IOException {
    Files.writeString(
        folder.resolve("other.camel.yaml"),
        ROUTE.formatted("other", "log: x").replace("direct:other", uri));
    assertThat(run()).isFalse();
    assertLine(
        lines(),
        "other.camel.yaml",
        "only the route events consumes a websocket: another Asterisk needs a proxy of its own");
  }

  @Test
  void acceptsOtherAddressOfEvents() throws IOException {
    Files.writeString(
        folder.resolve("events.camel.yaml"),
        Files.readString(Path.of("routes", "events.camel.yaml"))
            .replace("ahc-{{ari.websocket}}/events", "ahc-wss:recorder:8089/ari/events"));
    assertThat(run()).as("%s", lines()).isTrue();
  }

  /** The proxy rejects the second one at its start, and at a reload. */
  @ParameterizedTest
  @CsvSource({
    "direct:one, direct:one",
    "direct:one, 'direct://one?timeout=5000'",
    "handover:one, 'handover:one?timeout=5000'",
    "seda:one, seda:one",
    "handover:none, handover:publish",
    "handover:none, handover:resync",
    "handover:none, lanes:commands",
  })
  void rejectsSecondRouteThatConsumesAnEndpoint(String first, String second) throws IOException {
    Files.writeString(
        folder.resolve("a.camel.yaml"), ROUTE.formatted("a", "log: x").replace("direct:a", first));
    Files.writeString(
        folder.resolve("b.camel.yaml"),
        "# two\n" + ROUTE.formatted("b", "log: x").replace("direct:b", second));
    assertThat(run()).isFalse();
    assertLine(
        lines(),
        "b.camel.yaml:5: the endpoint " + second.replaceFirst("//", "").replaceFirst("[?].*", ""),
        " belongs to the route ",
        "; choose another one");
    assertThat(lines()).last().isEqualTo("1 of 2 files would not load");
  }

  @Test
  void rejectsEndpointThatTwoRoutesOfAFileConsume() throws IOException {
    Files.writeString(
        folder.resolve("own.camel.yaml"),
        ROUTE.formatted("a", "log: x")
            + ROUTE.formatted("b", "log: x").replace("direct:b", "direct:a"));
    assertThat(run()).isFalse();
    assertLine(
        lines(),
        "own.camel.yaml:11: the endpoint direct:a belongs to the route a; choose another one");
  }

  /** The author has added the route, not the one that is named like its file. */
  @Test
  void rejectsEndpointOfRouteInShippedFile() throws IOException {
    Files.writeString(
        folder.resolve("commands.camel.yaml"),
        ROUTE.formatted("own", "log: x").replace("direct:own", "handover:publish")
            + Files.readString(Path.of("routes", "commands.camel.yaml")));
    assertThat(run()).isFalse();
    assertLine(
        lines(),
        "commands.camel.yaml:4: the endpoint handover:publish belongs to the route publish of"
            + " publish.camel.yaml; choose another one");
  }

  @Test
  void acceptsEndpointsThatSeveralRoutesConsume() throws IOException {
    for (String uri :
        List.of("kafka:own?brokers={{kafka.brokers}}", "seda:own?multipleConsumers=true")) {
      for (String id : List.of("a", "b")) {
        Files.writeString(
            folder.resolve(id + ".camel.yaml"),
            ROUTE.formatted(id, "log: x").replace("direct:" + id, uri));
      }
      assertThat(run()).as("%s", lines()).isTrue();
    }
  }

  /** Such a file takes the place of a compiled route. */
  @Test
  void acceptsEndpointOfCompiledRouteThatIsReplaced() throws IOException {
    Files.copy(
        Path.of("docs", "compiled-routes", "resync.camel.yaml"),
        folder.resolve("resync.camel.yaml"));
    assertThat(run()).as("%s", lines()).isTrue();
  }

  @Test
  void acceptsSecondRouteThatNeverStarts() throws IOException {
    Files.writeString(folder.resolve("a.camel.yaml"), ROUTE.formatted("a", "log: x"));
    Files.writeString(
        folder.resolve("b.camel.yaml"),
        ROUTE
            .formatted("b", "log: x")
            .replace("direct:b", "direct:a")
            .replace("    id: b", "    id: b\n    autoStartup: \"false\""));
    assertThat(run()).as("%s", lines()).isTrue();
  }

  @Test
  void countsLinesThatDifferFromTheShippedFile() throws IOException {
    String shipped = Files.readString(Path.of("routes", "events.camel.yaml"));
    Files.writeString(
        folder.resolve("events.camel.yaml"),
        shipped
            .replace("        bufferSize: \"{{ari.buffer-size}}\"\n", "")
            .replaceFirst("(?m)^# ", "# edited\n# edited\n# "));
    Files.copy(Path.of("routes", "publish.camel.yaml"), folder.resolve("publish.camel.yaml"));
    assertThat(run()).isTrue();
    assertThat(lines())
        .anyMatch(
            line ->
                line.endsWith(
                    "/events.camel.yaml: ok, events; differs from the shipped file: 2 lines added,"
                        + " 1 removed"))
        .anyMatch(line -> line.endsWith("/publish.camel.yaml: ok, publish"));
  }

  @Test
  void acceptsShippedFilesAndExamples() throws IOException {
    for (Path file : RoutesUnderTest.routeFiles()) {
      Files.copy(file, folder.resolve(file.getFileName()));
    }
    for (String example :
        List.of("webhook", "event-topics", "dead-letters", "masked-copy", "unmapped-alert")) {
      String name = example + ".camel.yaml";
      Files.copy(Path.of("examples", "routes", name), folder.resolve(name));
    }
    assertThat(run()).as("%s", lines()).isTrue();
    assertThat(lines()).hasSize(11).last().isEqualTo("All 10 files would load");
  }

  /** Camel would look for it with the first message. Its line of a step in braces is one less. */
  @Test
  void namesMissingComponentOfDynamicEndpoint() throws IOException {
    for (String example : List.of("events-to-mqtt", "recordings-to-s3")) {
      String name = example + ".camel.yaml";
      Files.copy(Path.of("examples", "routes", name), folder.resolve(name));
    }
    write(
        "caught",
        "doTry: {steps: [{log: x}], doCatch: [{exception: [java.lang.Exception], steps: [{toD: {id: d, uri: \"nowhere:x\"}}]}]}");
    write("copy", "wireTap: {id: w, uri: \"nowhere:${body}\"}");
    write("placeholder", "toD: {id: p, uri: \"{{?unset}}nowhere:x\"}");
    write("simple", "toD: \"${body}:x\"");
    write("simple-in-part", "toD: \"no${body}:x\"");
    write("without-colon", "toD: \"${body}\"");
    write("valid", "toD: \"http:${body}\"");
    write("language", "toD: \"language:simple:nowhere:${body}\"");
    write("disabled", "toD: {id: e, uri: \"nowhere:x\", disabled: \"true\"}");
    Files.writeString(
        folder.resolve("precondition.camel.yaml"),
        ROUTE
            .formatted("precondition", "toD: \"nowhere:x\"")
            .replace("    from:", "    precondition: \"{{?never}}\"\n    from:"));
    assertThat(run()).isFalse();
    List<String> lines = lines();
    assertLine(
        lines,
        "events-to-mqtt.camel.yaml:48: the component paho-mqtt5 of the step publish-to-mqtt is"
            + " missing: add it to lib/extra");
    assertLine(lines, "recordings-to-s3.camel.yaml:121: the component aws2-s3 of the step ");
    assertLine(lines, "caught.camel.yaml:6: the component nowhere of the step d is missing");
    assertLine(lines, "copy.camel.yaml:6: the component nowhere of the step w is missing");
    assertLine(lines, "placeholder.camel.yaml:6: the component nowhere of the step p is missing");
    assertThat(lines).as("%s", lines).last().isEqualTo("5 of 12 files would not load");
  }

  @Test
  void namesFilesThatAreIgnored() throws IOException {
    write("own", "log: x");
    Files.writeString(folder.resolve("b.camel.yml"), "- rout: 1");
    assertThat(run()).isFalse();
    assertLine(lines(), "b.camel.yml: is ignored: its name must end in .yaml");
    assertThat(lines()).last().isEqualTo("1 of 2 files would not load");
  }

  @Test
  void namesWhatYamlExpects() throws IOException {
    write("indented", "log: x\n       - log: y");
    write("tab", "log: x\n\t- log: y");
    assertThat(run()).isFalse();
    assertLine(
        lines(),
        "indented.camel.yaml:8: while parsing a block mapping: expected <block end>, but found",
        "; check the indentation");
    assertLine(lines(), "tab.camel.yaml:8: ", "TAB");
  }

  @Test
  void namesLineOfStepIdThatExistsTwice() throws IOException {
    write(
        "own",
        "log:\n            id: a\n            message: x\n        - log:\n            id: a\n            message: x");
    Files.writeString(
        folder.resolve("commands.camel.yaml"),
        Files.readString(Path.of("routes", "commands.camel.yaml"))
            .replace("id: parse-command", "id: start-command"));
    assertThat(run()).isFalse();
    assertLine(lines(), "own.camel.yaml:10: the step id a exists twice; choose another one");
    assertThat(lines())
        .anyMatch(line -> line.matches(".*:\\d+: the step id start-command exists twice.*"));
  }

  @Test
  void rejectsContentThatCamelAccepts() throws IOException {
    Files.writeString(folder.resolve("dash.camel.yaml"), "route: {id: x}");
    Files.writeString(folder.resolve("text.camel.yaml"), "hello");
    Files.writeString(
        folder.resolve("handler.camel.yaml"),
        "- errorHandler: {deadLetterChannel: {deadLetterUri: log:dead}}");
    Files.writeString(
        folder.resolve("commands.camel.yaml"),
        Files.readString(Path.of("routes", "commands.camel.yaml"))
            .replace("id: parse-command", "id: start-command"));
    assertThat(run()).isFalse();
    assertLine(lines(), "dash.camel.yaml: it is not a list of routes");
    assertLine(lines(), "text.camel.yaml: it is not a list of routes");
    assertLine(
        lines(), "handler.camel.yaml: an errorHandler outside a route applies to the routes of");
    assertThat(lines())
        .anyMatch(line -> line.contains(": the step id start-command exists twice"))
        .last()
        .isEqualTo("4 of 4 files would not load");
  }

  /** The shipped routes use it. */
  @Test
  void checksRouteConfigurationInItsRoutes() throws IOException {
    Files.writeString(
        folder.resolve("my-errors.camel.yaml"),
        Files.readString(Path.of("docs", "compiled-routes", "command-errors.camel.yaml"))
            .replace("ref: respondRejected", "ref: nobody"));
    assertThat(run()).isFalse();
    assertThat(lines().get(0))
        .startsWith(folder + "/execute-command.camel.yaml")
        .contains("nobody");
  }

  @Test
  void rejectsFolderWithoutFiles() {
    assertThatThrownBy(this::run)
        .isInstanceOf(InvalidSettingException.class)
        .hasMessage(folder + " contains no *.yaml file");
  }

  private void write(String id, String step) throws IOException {
    Files.writeString(folder.resolve(id + ".camel.yaml"), ROUTE.formatted(id, step));
  }

  private boolean run() {
    return check.run(folder, new PrintStream(bytes, true, StandardCharsets.UTF_8));
  }

  private List<String> lines() {
    return bytes.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private void assertLine(List<String> lines, String start, String... parts) {
    assertThat(lines)
        .filteredOn(line -> line.startsWith(folder + "/" + start))
        .as("%s in %s", start, lines)
        .singleElement()
        .asString()
        .satisfies(line -> assertThat(List.of(parts)).allMatch(line::contains));
  }
}
