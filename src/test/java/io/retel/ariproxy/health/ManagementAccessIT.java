// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import io.retel.ariproxy.fixtures.FreePort;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.Tool;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.kafka.KafkaBroker;
import io.retel.ariproxy.fixtures.kafka.KafkaExtension;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ManagedBean;
import io.retel.ariproxy.fixtures.proxy.ManagementClient;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attacks the management port: as a web page, as a local user without token, as an operator. */
@ExtendWith(KafkaExtension.class)
class ManagementAccessIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String APP = "door";
  private static final String TOKEN = "a-token-of-an-operator";
  private static final String PATH = "/observe/jolokia";
  private static final String COMMANDS = "io.retel.ariproxy:context=%s,type=Commands";
  private static final String TRACER = "org.apache.camel:context=%s,type=tracer,name=BacklogTracer";

  private static SimulatedAsterisk asterisk;
  private static EmbeddedProxy proxy;
  private static Controller controller;
  private static int port;
  private static String context;

  @TempDir private static Path folder;
  @TempDir private static Path browserProfile;

  @BeforeAll
  static void start(KafkaBroker kafka) {
    asterisk = SimulatedAsterisk.start();
    port = FreePort.find();
    ProxySettings settings =
        ProxySettings.of(asterisk, APP, kafka)
            .withStepMBeans()
            .with(Setting.MANAGEMENT_PORT, Integer.toString(port))
            .with(Setting.MANAGEMENT_JOLOKIA, "true")
            .with(Setting.MANAGEMENT_TOKEN, TOKEN)
            .with(Setting.MANAGEMENT_ALLOWED_HOSTS, "proxy.example, hawtio.example");
    proxy = EmbeddedProxy.start(settings);
    controller = new Controller(settings, kafka);
    asterisk.awaitConnected(APP);
    context = proxy.context().getManagementName();
  }

  @AfterAll
  static void close() {
    controller.close();
    proxy.close();
    asterisk.close();
  }

  @Test
  void executesDocumentedCommands() throws Exception {
    MarkdownPage.CodeBlock block =
        MarkdownPage.read("docs/jmx.md").codeBlocks().stream()
            .filter(code -> code.text().contains("JMX="))
            .findFirst()
            .orElseThrow();
    List<String> lines = block.lines().stream().filter(line -> line.startsWith("curl")).toList();
    assertThat(lines).hasSize(5);
    String channel = asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "mine")).id();
    controller.event("mine", "STASIS_START");
    String setup =
        block.lines().stream()
            .filter(line -> !line.startsWith("curl"))
            .collect(Collectors.joining("\n"));

    assertThat(run(setup, lines.get(0), channel).path("status").asInt()).isEqualTo(200);
    Awaitility.await("commands are drained")
        .until(() -> run(setup, lines.get(1), channel).path("value").asText(), "DRAINED"::equals);
    assertThat(run(setup, lines.get(2), channel).at("/value/callContext").asText())
        .isEqualTo("mine");
    run(setup, lines.get(3), channel);
    assertThat(state()).isEqualTo("RUNNING");
    assertThat(run(setup, lines.get(4), channel).path("value").asText()).isEqualTo("Started");
    assertThat(controller.execute("mine", "GET", "/asterisk/ping")).isNotNull();
  }

  /** With the token in each request. */
  private static JsonNode run(String setup, String line, String channel) throws Exception {
    Tool.CURL.path();
    String script =
        "curl() { command curl -H 'Authorization: Bearer %s' \"$@\"; }%n%s%n%s"
            .formatted(TOKEN, setup, line)
            .replace("127.0.0.1:9000", "127.0.0.1:" + port)
            .replace("context=ari-proxy", "context=" + context)
            .replace("1532965104.0", channel);
    Process shell = new ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start();
    String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(shell.waitFor()).as(output).isZero();
    return JSON.readTree(output);
  }

  /** As Kubernetes runs it when a pod ends; also without a topic for generic commands. */
  @Test
  void preStopHookPausesGenericCommands(@TempDir Path secrets) throws Exception {
    Path token = Files.writeString(secrets.resolve("management-token"), TOKEN + "\n");
    List<String> hook = new ArrayList<>();
    new YAMLMapper()
        .readTree(Path.of("docker", "kubernetes", "base", "stateful-set.yaml").toFile())
        .at("/spec/template/spec/initContainers/0/lifecycle/preStop/exec/command")
        .forEach(part -> hook.add(part.asText()));
    Map<String, String> replacements =
        Map.of(
            "127.0.0.1/9000", "127.0.0.1/" + port,
            "context=ari-proxy", "context=" + context,
            "/secrets/management-token", token.toString());
    for (Map.Entry<String, String> replacement : replacements.entrySet()) {
      assertThat(String.join("\n", hook)).contains(replacement.getKey());
      hook.replaceAll(part -> part.replace(replacement.getKey(), replacement.getValue()));
    }
    for (int i = 0; i < 2; i++) {
      Process shell = new ProcessBuilder(hook).redirectErrorStream(true).start();
      String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(shell.waitFor()).as(output).isZero();
    }

    ManagedBean commands = proxy.managedBean("Commands");
    assertThat(commands.getAttribute("GenericPaused")).isEqualTo(true);
    commands.invoke("resume");
    assertThat(commands.getAttribute("GenericPaused")).isEqualTo(false);
  }

  /** What a page in a browser can send: its own origin, and a name that resolves to this host. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          Origin: http://evil.example                  | application/json | 403
          Origin: http://evil.example                  | text/plain       | 403
          Origin: http://localhost:1                   | application/json | 403
          Origin: http://127.0.0.1.evil.example        | application/json | 403
          Origin: null                                 | application/json | 403
          Host: evil.example                           | application/json | 421
          Host: 127.0.0.1.evil.example                 | application/json | 421
          Host: localhost.evil.example:9000            | application/json | 421
          Host: evil.example@127.0.0.1                 | application/json | 400
          X-Nothing: x                                 | text/plain       | 415
          X-Nothing: x                                 | application/x-www-form-urlencoded | 415
          X-Nothing: x                                 | multipart/form-data; boundary=application/json | 415
          """)
  void refusesWhatWebPageSends(String header, String contentType, int status) throws Exception {
    String host = header.startsWith("Host") ? header : "Host: 127.0.0.1:" + port;
    String reply =
        send(
            "POST " + PATH + " HTTP/1.1",
            pause(),
            host,
            header.startsWith("Host") ? "X-Nothing: x" : header,
            "Content-Type: " + contentType,
            "Authorization: Bearer " + TOKEN);

    assertThat(reply).startsWith("HTTP/1.1 " + status + " ");
    assertThat(state()).isEqualTo("RUNNING");
  }

  /** The attacks of a page, by a browser: requests across origins, and DNS rebinding. */
  @Test
  void browserCannotPauseCommandsForWebPage() throws Exception {
    String exec = PATH + "/exec/" + COMMANDS.formatted(context) + "/pause";
    String page =
        """
        <p id="result">loaded</p><script>
        const requests = [];
        for (const host of ['127.0.0.1', 'localhost', 'evil.example']) {
          const url = 'http://' + host + ':%1$d';
          const body = '%2$s';
          requests.push(fetch(url + '%3$s', {method: 'POST', mode: 'no-cors', body}));
          requests.push(fetch(url + '%3$s', {method: 'POST', body,
              headers: {'Content-Type': 'application/json', 'Authorization': 'Bearer %5$s'}}));
          requests.push(fetch(url + '%4$s', {mode: 'no-cors'}));
          requests.push(fetch(url + '/observe/health'));
        }
        Promise.allSettled(requests).then(all => document.getElementById('result').textContent =
            all.filter(one => one.status == 'fulfilled' && one.value.type != 'opaque').length + ' read');
        </script>\
        """
            .formatted(port, pause(), PATH, exec, TOKEN);
    HttpServer attacker =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    attacker.createContext(
        "/",
        exchange -> {
          byte[] content = page.getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().add("Content-Type", "text/html");
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
          exchange.close();
        });
    attacker.start();
    try {
      assertThat(browse("http://evil.example:" + attacker.getAddress().getPort() + "/"))
          .contains("0 read");
      assertThat(browse("http://evil.example:" + port + exec))
          .contains("is not an IP address, localhost, or one of management.allowed-hosts");
      assertThat(state()).isEqualTo("RUNNING");
    } finally {
      attacker.stop(0);
    }
  }

  private static String browse(String url) {
    return Tool.CHROMIUM
        .run(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--user-data-dir=" + browserProfile,
            "--host-resolver-rules=MAP evil.example 127.0.0.1",
            "--virtual-time-budget=20000",
            "--dump-dom",
            url)
        .output();
  }

  @ParameterizedTest
  @CsvSource({
    "proxy.example, 200",
    "PROXY.example:9000, 200",
    "localhost, 200",
    "LOCALHOST:1, 200",
    "192.0.2.7:80, 200",
    "[::1]:80, 200",
    "evil.example, 421",
    "'', 421",
    "proxy.example.evil.example, 421",
    "[evil.example], 421",
    "localhost., 421"
  })
  void requiresKnownHostOnWholePort(String host, int status) throws Exception {
    for (String path : List.of("/", "/health", "/observe/health/live", "/observe/metrics")) {
      assertThat(send("GET " + path + " HTTP/1.1", "", "Host: " + host))
          .as(path)
          .startsWith("HTTP/1.1 " + status + " ");
    }
  }

  @Test
  void refusesTwoHostsAndAcceptsProbesWithoutAny() throws Exception {
    assertThat(send("GET /health HTTP/1.1", "", "Host: localhost", "Host: evil.example"))
        .startsWith("HTTP/1.1 4");
    assertThat(send("GET /health HTTP/1.0", "")).contains(" 200 OK");
  }

  /** A console in a browser sends its origin, directly or through its own server. */
  @ParameterizedTest
  @ValueSource(strings = {"http://hawtio.example", "https://hawtio.example:8443", "same"})
  void acceptsOriginOfConsole(String origin) throws Exception {
    String reply =
        send(
            "POST " + PATH + " HTTP/1.1",
            "{\"type\":\"version\"}",
            "Host: 127.0.0.1:" + port,
            "Origin: " + origin.replace("same", "http://127.0.0.1:" + port),
            "Content-Type: text/json",
            "Authorization: Bearer " + TOKEN);

    assertThat(reply).startsWith("HTTP/1.1 200 ").contains("\"agent\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/exec/%s/pause",
        "/exec/%s/pause/",
        "//exec/%s/pause",
        "/EXEC/%s/pause",
        "/%%65xec/%s/pause",
        "/./exec/%s/pause",
        "/read/../exec/%s/pause",
        "/rea!d/../exec/%s/pause",
        "?p=exec/%s/pause",
        "/?p=exec/%s/pause",
        "/read?p=exec/%s/pause",
        "/version?p=/exec/%s/pause",
        "?type=exec&mbean=%s&operation=pause",
        "/write/%s/State/DRAINED",
        "/notification/register",
        "/config"
      })
  void getChangesNothing(String request) throws Exception {
    send(
        "GET " + PATH + request.formatted(COMMANDS.formatted(context)) + " HTTP/1.1",
        "",
        "Host: 127.0.0.1",
        "Authorization: Bearer " + TOKEN);

    assertThat(state()).isEqualTo("RUNNING");
  }

  @ParameterizedTest
  @ValueSource(strings = {"GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"})
  void onlyPostChangesSomething(String method) throws Exception {
    assertThat(
            send(
                method + " " + PATH + "/exec/x HTTP/1.1",
                pause(),
                "Host: 127.0.0.1",
                "Content-Type: application/json",
                "Authorization: Bearer " + TOKEN))
        .startsWith("HTTP/1.1 405 ")
        .doesNotContainIgnoringCase("Access-Control");
    assertThat(state()).isEqualTo("RUNNING");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "Bearer", "Bearer ", "Bearer x", "Basic Og==", "Basic ???", "Token %s", "%s"})
  void requiresToken(String authorization) throws Exception {
    for (String line : List.of("POST " + PATH, "GET " + PATH + "/version", "GET " + PATH)) {
      assertThat(
              send(
                  line + " HTTP/1.1",
                  line.startsWith("POST") ? pause() : "",
                  "Host: 127.0.0.1",
                  "Content-Type: application/json",
                  "Authorization: " + authorization.formatted(TOKEN)))
          .startsWith("HTTP/1.1 401 ")
          // a browser would show its own form, and remember the password for other pages
          .doesNotContain("Basic")
          .doesNotContain(TOKEN);
    }
    assertThat(state()).isEqualTo("RUNNING");
  }

  /** The review's ways to files, other hosts, libraries and scripts, and their relatives. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          com.sun.management:type=HotSpotDiagnostic   | dumpHeap(java.lang.String,boolean)  | ["FILE", true]
          com.sun.management:type=HotSpotDiagnostic   | setVMOption                         | ["HeapDumpPath", "FILE"]
          com.sun.management:type=DiagnosticCommand   | jvmtiAgentLoad                      | [["/tmp/library.so"]]
          com.sun.management:type=DiagnosticCommand   | compilerDirectivesAdd               | [["/etc/passwd"]]
          com.sun.management:type=DiagnosticCommand   | vmLog                               | [["output=FILE"]]
          com.sun.management:type=DiagnosticCommand   | gcHeapDump                          | [["FILE"]]
          com.sun.management:type=DiagnosticCommand   | jfrStart                            | [["filename=FILE"]]
          com.sun.management:type=DiagnosticCommand   | vmSystemProperties                  | []
          jdk.management.jfr:type=FlightRecorder      | newRecording                        | []
          java.util.logging:type=Logging              | setLoggerLevel                      | ["", "ALL"]
          JMImplementation:type=MBeanServerDelegate   | toString                            | []
          jolokia:type=Config                         | resetHistoryEntries                 | []
          java.lang:type=Memory                       | gc                                  | []
          java.lang:type=Threading                    | dumpAllThreads(boolean,boolean)     | [true, true]
          CAMEL,type=context,name="CONTEXT"           | sendBody(java.lang.String,java.lang.Object) | ["file:FOLDER?fileName=f", "x"]
          CAMEL,type=context,name="CONTEXT"           | sendStringBody                      | ["file:FOLDER?fileName=f", "x"]
          CAMEL,type=context,name="CONTEXT"           | requestBody(java.lang.String,java.lang.Object) | ["http://127.0.0.1:1/?httpClientConfigurer=#ariHttpClient", "x"]
          CAMEL,type=context,name="CONTEXT"           | createEndpoint                      | ["file:FOLDER"]
          CAMEL,type=context,name="CONTEXT"           | canSendToEndpoint                   | ["file:FOLDER"]
          CAMEL,type=context,name="CONTEXT"           | setGlobalOption                     | ["x", "y"]
          CAMEL,type=context,name="CONTEXT"           | getGlobalOptions                    | []
          CAMEL,type=context,name="CONTEXT"           | dumpRoutesAsXml(boolean)            | [true]
          CAMEL,type=context,name="CONTEXT"           | dumpRoutesAsYaml(boolean,boolean)   | [true, true]
          CAMEL,type=context,name="CONTEXT"           | stop                                | []
          CAMEL,type=context,name="CONTEXT"           | stop()                              | []
          CAMEL,type=routes,name="events"             | updateRouteFromXml                  | ["<route/>"]
          CAMEL,type=routes,name="events"             | remove                              | []
          CAMEL,type=routes,name="events"             | dumpRouteAsXml(boolean)             | [true]
          CAMEL,type=processors,name="parse-event"    | stop                                | []
          CAMEL,type=processors,name="parse-event"    | disable                             | []
          CAMEL,type=tracer,name=BacklogTracer        | setTraceFilter                      | ["${bean:type:java.lang.Runtime}"]
          CAMEL,type=tracer,name=BacklogTracer        | setTracePattern(java.lang.String)   | ["(a+)+$"]
          CAMEL,type=tracer,name=BacklogDebugger      | addConditionalBreakpoint            | ["events", "groovy", "x"]
          CAMEL,type=services,name=ManagementServer   | stop                                | []
          """)
  void operatorCannotReachFilesHostsOrScripts(String mbean, String operation, String arguments)
      throws Exception {
    ObjectNode request =
        JSON.createObjectNode()
            .put("type", "exec")
            .put("mbean", expand(mbean))
            .put("operation", operation);
    request.set(
        "arguments",
        JSON.readTree(
            arguments
                .replace("FILE", folder.resolve("file").toString())
                .replace("FOLDER", folder.toString())));

    JsonNode response = post(request);

    assertThat(response.path("status").asInt()).as(response.toString()).isIn(403, 404);
    assertThat(response.has("value")).as(response.toString()).isFalse();
    assertThat(folder).isEmptyDirectory();
  }

  /** Registrations for notifications would take heap until they are removed. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'notification','command':'register'}",
        "{'type':'NOTIFICATION','command':'register'}",
        "{'type':'notification','command':'list'}",
        "{'type':'config','key':'debug','value':'true'}",
        "{'type':'regnotif'}",
        "{'type':'unknown'}",
        "{'type':['notification']}",
        "{}"
      })
  void refusesOtherTypesOfRequests(String request) throws Exception {
    JsonNode response = post(JSON.readTree(request.replace('\'', '"')));

    assertThat(response.path("status").asInt()).as(response.toString()).isEqualTo(403);
    assertThat(response.has("value")).as(response.toString()).isFalse();
  }

  @Test
  void returnsControlCharactersAsValidJson() throws Exception {
    for (char character = 0; character < ' '; character++) {
      String prefix = "\\u" + character + "\\;forged";
      ObjectNode command = JSON.createObjectNode().put("type", "exec").put("operation", "find");
      command.put("mbean", "io.retel.ariproxy:context=%s,type=CallContexts".formatted(context));
      command.putArray("arguments").add(prefix).add(1);
      assertThat(post(command).at("/request/arguments/0").asText()).isEqualTo(prefix);
    }
  }

  @Test
  void namesMissingArgument() throws Exception {
    ObjectNode request = JSON.createObjectNode().put("type", "exec").put("operation", "reclaim");
    request.put("mbean", "io.retel.ariproxy:context=%s,type=Websocket".formatted(context));
    request.putArray("arguments").addNull();
    assertThat(post(request).path("error").asText()).contains("The application is missing");
  }

  /**
   * Every operation of the proxy's MBeans that has arguments, with every kind of argument in every
   * place.
   */
  @Test
  void explainsUnsuitableArguments() throws Exception {
    List<Object> values =
        Arrays.asList(
            null,
            "",
            " ",
            "\u0007\r\nforged \u202e",
            "x".repeat(10_000),
            "CHANNEL:",
            ":",
            "1",
            1.5,
            -1,
            1_001,
            1L << 40,
            true,
            List.of(),
            List.of("x"),
            Map.of("x", 1));
    MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    List<String> bare = new ArrayList<>();
    for (ObjectName bean :
        server.queryNames(new ObjectName("io.retel.ariproxy:context=" + context + ",*"), null)) {
      for (MBeanOperationInfo operation : server.getMBeanInfo(bean).getOperations()) {
        int arguments = operation.getSignature().length;
        for (int place = 0; place < arguments; place++) {
          for (Object value : values) {
            List<Object> given = new ArrayList<>(Collections.nCopies(arguments, "nothing"));
            given.set(place, value);
            for (List<Object> all : List.of(given, Collections.nCopies(given.size(), value))) {
              JsonNode response =
                  post(
                      JSON.valueToTree(
                          new TreeMap<>(
                              Map.of(
                                  "type",
                                  "exec",
                                  "mbean",
                                  bean.toString(),
                                  "operation",
                                  operation.getName(),
                                  "arguments",
                                  all))));
              String error = response.path("error").asText();
              if (response.path("status").asInt() != 200 && !isSentence(error)) {
                bare.add(operation.getName() + all + ": " + error);
              }
            }
          }
        }
      }
    }
    assertThat(bare.stream().map(line -> line.substring(0, Math.min(400, line.length()))))
        .isEmpty();
    assertThat(state()).isEqualTo("RUNNING");
  }

  /** After the names of exceptions, which Jolokia writes. */
  private static boolean isSentence(String error) {
    String sentence = error.replaceFirst("^([\\w.]+Exception *: *)+", "");
    return sentence.contains(" ")
        && !sentence.contains("Exception")
        && error.length() < 1_000
        && sentence.chars().noneMatch(c -> c < ' ' || c == '\u202e');
  }

  @Test
  void limitsRequestsAtOnce() throws Exception {
    ArrayNode bulk = JSON.createArrayNode();
    for (int i = 0; i < 1_000; i++) {
      bulk.addObject().put("type", "version");
    }
    assertThat(post(bulk)).hasSize(1_000);
    assertThat(post(bulk.add(JSON.createObjectNode())).path("error").asText())
        .contains("More than 1000 requests at once");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          java.lang:type=Runtime                      | SystemProperties
          java.lang:type=Runtime                      | InputArguments
          java.lang:type=Runtime                      | ClassPath
          com.sun.management:type=HotSpotDiagnostic   | DiagnosticOptions
          CAMEL,type=context,name="CONTEXT"           | GlobalOptions
          CAMEL,type=routes,name="events"             | EndpointUri
          CAMEL,type=routes,name="events"             | LastError
          CAMEL,type=processors,name="send-ari-request" | Uri
          JMImplementation:type=MBeanServerDelegate   | MBeanServerId
          """)
  void operatorCannotReadSecrets(String mbean, String attribute) throws Exception {
    ObjectNode request = JSON.createObjectNode().put("type", "read").put("mbean", expand(mbean));
    assertThat(post(request.put("attribute", attribute)).path("status").asInt()).isIn(403, 404);

    ObjectNode all = JSON.createObjectNode().put("type", "read").put("mbean", expand(mbean));
    all.putObject("config").put("ignoreErrors", true);
    assertThat(post(all).at("/value/" + attribute).toString())
        .satisfiesAnyOf(
            text -> assertThat(text).isEmpty(), text -> assertThat(text).contains("forbidden"));
    assertThat(post(JSON.createObjectNode().put("type", "read").put("mbean", "*:*")).toString())
        .doesNotContain("java.class.path")
        .doesNotContain("secret");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          TraceFilter   | ${exchangeProperty.callContext} == 'try'   | 200
          TraceFilter   | ${exchangeProperty.callContext} == "try"   | 200
          TraceFilter   | ${header.kind} != 5 && ${exchangeProperty.resource} contains 'CHANNEL' | 200
          TraceFilter   | ''                                         | 200
          TraceFilter   | ${exchangeProperty.callContext} == 20000000000000000000  | 403
          TracePattern  | execute-command,publish*                   | 200
          Enabled       | false                                      | 200
          TraceFilter   | ${bean:type:java.lang.Runtime?method=getRuntime} != null | 403
          TraceFilter   | ${exchangeProperty.callContext.class.name} == 'x'        | 403
          TraceFilter   | ${exchangeProperty[callContext].getClass()} == 'x'       | 403
          TraceFilter   | ${exchangeProperty.callContext} == '${bean:x}'           | 403
          TraceFilter   | ${exchangeProperty.callContext} == "$simple{bean:x}"     | 403
          TraceFilter   | ${exchangeProperty.callContext} regex '(a+)+$'           | 403
          TraceFilter   | ${exchangeProperty.callContext} == ${body}               | 403
          TraceFilter   | ${body} contains 'x'                       | 403
          TraceFilter   | ${file:/etc/passwd} == 'x'                 | 403
          TraceFilter   | 1                                          | 403
          TracePattern  | (a+)+$                                     | 403
          BodyIncludeFiles   | true                                  | 403
          BodyIncludeStreams | true                                  | 403
          BacklogSize   | 2000000000                                 | 403
          """)
  void traceFilterComparesPropertiesWithConstants(String attribute, String value, int status)
      throws Exception {
    ObjectNode request =
        JSON.createObjectNode()
            .put("type", "write")
            .put("mbean", TRACER.formatted(context))
            .put("attribute", attribute)
            .put("value", value);

    assertThat(post(request).path("status").asInt()).isEqualTo(status);
    // the same in a list, and with a type that differs in case
    request.put("type", "WRITE");
    assertThat(post(JSON.createArrayNode().add(request)).at("/0/status").asInt()).isIn(status, 400);
    request.put("type", "write").putArray("attribute").add(attribute);
    assertThat(post(request).path("status").asInt()).isNotEqualTo(200);
  }

  /** The requests of Hawtio, through its own server: its origin, and a login form. */
  @Test
  void servesConsole() throws Exception {
    assertThat(post(JSON.readTree("{\"type\":\"version\"}")).at("/value/agent").asText())
        .isNotEmpty();
    // optional MBeans of Hawtio: absent, not an error of the login
    assertThat(
            post(JSON.readTree(
                    "{\"type\":\"list\",\"path\":\"hawtio/type=security,name=RBACRegistry\"}"))
                .path("value"))
        .isEmpty();
    JsonNode list =
        post(JSON.readTree("{\"type\":\"list\",\"config\":{\"maxDepth\":9}}")).path("value");
    assertThat(list.fieldNames())
        .toIterable()
        .contains("io.retel.ariproxy", "org.apache.camel", "java.lang")
        .doesNotContain("com.sun.management", "JMImplementation", "jolokia", "java.util.logging");
    assertThat(list.path("org.apache.camel").fieldNames())
        .toIterable()
        .noneMatch(name -> name.contains("type=endpoints") || name.contains("type=components"));
    JsonNode names =
        post(JSON.readTree("{\"type\":\"search\",\"mbean\":\"org.apache.camel:type=routes,*\"}"));
    assertThat(names.path("value").toString()).contains("execute-command");
    assertThat(
            post(JSON.readTree("{\"type\":\"search\",\"mbean\":\"com.sun.management:*\"}"))
                .path("value"))
        .isEmpty();
    // its view Trace
    for (boolean enabled : new boolean[] {true, false}) {
      ObjectNode trace = JSON.createObjectNode().put("type", "exec");
      trace.put("mbean", TRACER.formatted(context)).put("operation", "setEnabled");
      trace.putArray("arguments").add(enabled);
      assertThat(post(trace).path("status").asInt()).isEqualTo(200);
      trace.put("operation", "dumpAllTracedMessagesAsXml()").remove("arguments");
      assertThat(post(trace).path("value").asText()).startsWith("<backlogTracerEventMessages>");
    }
    JsonNode both =
        post(
            JSON.createArrayNode()
                .add(
                    JSON.createObjectNode()
                        .put("type", "read")
                        .put("mbean", expand("CAMEL,type=routes,name=\"events\""))
                        .put("attribute", "State"))
                .add(
                    JSON.createObjectNode()
                        .put("type", "exec")
                        .put("mbean", expand("CAMEL,type=context,name=\"CONTEXT\""))
                        .put("operation", "dumpRoutesAsXml()")));
    assertThat(both.at("/0/value").asText()).isEqualTo("Started");
    assertThat(both.at("/1/value").asText()).contains("<route");
    ObjectNode all =
        JSON.createObjectNode()
            .put("type", "read")
            .put("mbean", expand("CAMEL,type=routes,name=\"events\""));
    all.putObject("config").put("ignoreErrors", true).put("maxDepth", 7);
    assertThat(post(all).at("/value/ExchangesTotal").isNumber()).isTrue();
  }

  @Test
  void startsAndStopsRoute() throws Exception {
    ObjectNode stop =
        JSON.createObjectNode()
            .put("type", "exec")
            .put("mbean", expand("CAMEL,type=routes,name=\"publish-missed-events\""))
            .put("operation", "stop()");
    assertThat(post(stop).path("status").asInt()).isEqualTo(200);
    assertThat(post(stop.put("operation", "start()")).path("status").asInt()).isEqualTo(200);
  }

  @Test
  void acceptsTokenAsPassword() throws Exception {
    String login =
        Base64.getEncoder().encodeToString(("admin:" + TOKEN).getBytes(StandardCharsets.UTF_8));
    assertThat(
            send(
                "GET " + PATH + "/version HTTP/1.1",
                "",
                "Host: 127.0.0.1",
                "Authorization: Basic " + login))
        .startsWith("HTTP/1.1 200 ")
        .contains("nosniff");
  }

  @Test
  void isNoProxyToOtherServers() throws Exception {
    JsonNode response =
        post(
            JSON.readTree(
                """
                {"type": "read", "mbean": "java.lang:type=Memory", "attribute": "HeapMemoryUsage",
                 "target": {"url": "service:jmx:rmi:///jndi/rmi://127.0.0.1:1/jmxrmi"}}\
                """));
    assertThat(response.has("value")).as(response.toString()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "null", "1", "\"x\"", "[1]", "[[]]", "{} {}", "{\"type\":\"exec\"}"})
  void respondsToInvalidRequestsWithoutStackTrace(String body) throws Exception {
    String reply = operator(body);
    assertThat(reply).contains("\"error\":").doesNotContain("\tat ").doesNotContain("at io.");
  }

  @Test
  void boundsRequestsAndResponses() throws Exception {
    String deep = "[".repeat(100_000);
    assertThat(operator(deep)).contains("\"error\":").doesNotContain("\tat ");
    assertThat(operator("{\"type\":\"version\",\"x\":\"" + "x".repeat(300_000) + "\"}"))
        .startsWith("HTTP/1.1 413 ")
        .doesNotContain("at io.");
    ArrayNode lists = JSON.createArrayNode();
    for (int i = 0; i < 1_000; i++) {
      lists.addObject().put("type", "list");
    }
    assertThat(operator(lists.toString())).contains("too large");
    // a body where none belongs, a long line, long headers
    assertThat(send("GET /health HTTP/1.1", "x".repeat(10), "Host: localhost"))
        .startsWith("HTTP/1.1 405 ");
    assertThat(send("POST /health HTTP/1.1", "x".repeat(10), "Host: localhost"))
        .startsWith("HTTP/1.1 405 ");
    assertThat(send("GET /" + "x".repeat(5_000) + " HTTP/1.1", "", "Host: localhost"))
        .contains(" 414 ");
    assertThat(send("GET / HTTP/1.1", "", "Host: localhost", "X: " + "x".repeat(10_000)))
        .contains(" 431 ");
  }

  /** Keep-alive connections with several requests each, as an ordinary benchmark opens them. */
  @ParameterizedTest
  @ValueSource(strings = {"/observe/health/live", "/health/smoke", "/health"})
  void manyRequestsRefuseNoProbe(String path) throws Exception {
    byte[] requests =
        ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .repeat(4)
            .getBytes(StandardCharsets.US_ASCII);
    List<Socket> sockets = new ArrayList<>();
    List<Thread> clients = new ArrayList<>();
    AtomicLong responses = new AtomicLong();
    try (ManagementClient management = new ManagementClient(port)) {
      for (int i = 0; i < 60; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        sockets.add(socket);
        Thread client = new Thread(() -> flood(socket, requests, responses));
        clients.add(client);
        client.start();
      }
      double before = responses.get();
      Awaitility.await("the clients get responses").until(() -> responses.get() > before + 300);
      for (int i = 0; i < 20; i++) {
        assertThat(management.get("/observe/health/live").status()).isEqualTo(200);
        assertThat(management.get("/health/smoke").status()).isEqualTo(200);
      }
      assertThat(management.metric("ari_proxy_management_refused_total{reason=\"busy\""))
          .as("requests that were refused")
          .isZero();
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
      for (Thread client : clients) {
        client.join();
      }
    }
  }

  /** Vert.x serves a path with a final slash as well. */
  @ParameterizedTest
  @ValueSource(strings = {"/observe/metrics", "/observe/metrics/"})
  void scrapeDelaysNoHealth(String path) throws Exception {
    MeterRegistry meters =
        proxy.context().getRegistry().lookupByNameAndType("meters", MeterRegistry.class);
    CountDownLatch started = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Gauge gauge =
        Gauge.builder(
                "scrape.blocked",
                () -> {
                  started.countDown();
                  return await(end) ? 1 : 0;
                })
            .register(meters);
    try (Socket scrape = new Socket(InetAddress.getLoopbackAddress(), port);
        ManagementClient management = new ManagementClient(port)) {
      scrape
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertThat(await(started)).as("the scrape has started").isTrue();
      long before = System.nanoTime();
      assertThat(management.get("/health").status()).isEqualTo(200);
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(4));
    } finally {
      end.countDown();
      meters.remove(gauge);
    }
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private static void flood(Socket socket, byte[] requests, AtomicLong responses) {
    byte[] buffer = new byte[64 << 10];
    try {
      while (true) {
        socket.getOutputStream().write(requests);
        if (socket.getInputStream().read(buffer) < 0) {
          return;
        }
        responses.incrementAndGet();
      }
    } catch (IOException e) {
      // closed by the test
    }
  }

  @Test
  void halfRequestsNeitherPileUpNorBlockProbes() throws Exception {
    sendHalfRequests(sockets -> {});
  }

  @Test
  @FullRun("waits 30 s; ManagementConnectionsTest closes connections after a shorter timeout")
  void halfRequestsAreClosed() throws Exception {
    sendHalfRequests(
        sockets ->
            Awaitility.await("half requests are closed")
                .until(() -> sockets.stream().noneMatch(ManagementAccessIT::isOpen)));
  }

  private static void sendHalfRequests(Consumer<List<Socket>> then) throws Exception {
    List<Socket> sockets = new ArrayList<>();
    try (ManagementClient management = new ManagementClient(port)) {
      for (int i = 0; i < 1_500; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket
            .getOutputStream()
            .write("GET /health HTTP/1.1\r\nHost: x\r\nX-".getBytes(StandardCharsets.US_ASCII));
        socket.setSoTimeout(1);
        sockets.add(socket);
      }
      assertThat(management.get("/observe/health/live").status()).isEqualTo(200);
      Awaitility.await("connections are bounded")
          .until(
              () ->
                  sockets.stream().filter(ManagementAccessIT::isOpen).count()
                      <= ManagementConnections.MAX_CONNECTIONS);
      then.accept(sockets);
      assertThat(management.metric("ari_proxy_management_refused_total{reason=\"connections\""))
          .isGreaterThanOrEqualTo(1_500 - ManagementConnections.MAX_CONNECTIONS);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  /** Each of many requests would otherwise get a response, which nobody has to read. */
  @ParameterizedTest
  @CsvSource({
    "host,      421, GET /health HTTP/1.1|Host: example.org||",
    "malformed, 400, GET /health HTTP/1.1||",
    "malformed, 404, GET health HTTP/1.1|Host: localhost||",
    "malformed, 400, GET /health?x=%zz HTTP/1.1|Host: localhost||",
    "method,    405, DELETE /health HTTP/1.1|Host: localhost||",
    "token,     401, GET /observe/jolokia/version HTTP/1.1|Host: localhost||",
  })
  void refusalEndsConnection(String reason, int status, String request) throws Exception {
    String refused = request.replace("|", "\r\n");
    String counter = "ari_proxy_management_refused_total{reason=\"" + reason + "\"";
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        CapturedLog log = new CapturedLog();
        ManagementClient management = new ManagementClient(port)) {
      double before = management.metric(counter);
      socket.getOutputStream().write(refused.repeat(100).getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout((int) DefaultTimeout.DURATION.toMillis());
      assertThat(responses(socket)).as("at most one").doesNotContainPattern("(?s)HTTP/.*HTTP/");
      assertThat(management.metric(counter) - before).isEqualTo(1);
      assertThat(log.events())
          .as("stack traces of Vert.x")
          .noneMatch(event -> event.getThrowableProxy() != null);
    }
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) DefaultTimeout.DURATION.toMillis());
      socket.getOutputStream().write(refused.getBytes(StandardCharsets.US_ASCII));
      assertThat(responses(socket)).startsWith("HTTP/1.1 " + status + " ");
    }
  }

  @Test
  void refusalQuotesStartOfHost() throws Exception {
    assertThat(send("GET /health HTTP/1.1", "", "Host: " + "x".repeat(7_000)))
        .startsWith("HTTP/1.1 421 ")
        .contains("Host xxx", "or one of management.allowed-hosts")
        .hasSizeLessThan(2_000);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/%zz",
        "/observe/jolokia/%",
        "/%c0%2",
        "/observe/jolokia/read/%u0041",
        "/observe/jolokia/version?x=%zz"
      })
  void malformedEscapeOfPathIsRefused(String path) throws Exception {
    try (CapturedLog log = new CapturedLog()) {
      assertThat(send("GET " + path + " HTTP/1.1", "", "Host: localhost"))
          .startsWith("HTTP/1.1 400 ");
      assertThat(log.lines(Level.ERROR)).isEmpty();
    }
  }

  /** Never reads, and requests as fast as it can. */
  @Test
  void clientThatDoesNotReadIsDisconnected() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      byte[] request =
          "GET /observe/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
              .repeat(100)
              .getBytes(StandardCharsets.US_ASCII);
      Awaitility.await("connection is closed")
          .until(
              () -> {
                try {
                  socket.getOutputStream().write(request);
                  return false;
                } catch (IOException e) {
                  return true;
                }
              });
    }
  }

  /** Reads until the server closes the connection, which can discard a response. */
  private static String responses(Socket socket) {
    ByteArrayOutputStream received = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(received);
    } catch (SocketException e) {
      // closed while requests were unread
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return received.toString(StandardCharsets.US_ASCII);
  }

  private static boolean isOpen(Socket socket) {
    try {
      return socket.getInputStream().read() >= 0;
    } catch (java.net.SocketTimeoutException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static String expand(String mbean) {
    return mbean
        .replace("CAMEL", "org.apache.camel:context=" + context)
        .replace("CONTEXT", proxy.context().getName());
  }

  private static String pause() {
    return "{\"type\":\"exec\",\"mbean\":\""
        + COMMANDS.formatted(context)
        + "\",\"operation\":\"pause\"}";
  }

  private static String state() {
    return (String) proxy.managedBean("Commands").getAttribute("State");
  }

  /** Sends JSON as an operator with the token, from the origin of a console. */
  private static JsonNode post(JsonNode request) throws IOException {
    String reply = operator(request.toString());
    assertThat(reply).startsWith("HTTP/1.1 200 ");
    return JSON.readTree(reply.substring(reply.indexOf("\r\n\r\n")));
  }

  private static String operator(String body) throws IOException {
    return send(
        "POST " + PATH + " HTTP/1.1",
        body,
        "Host: 127.0.0.1:" + port,
        "Origin: http://hawtio.example:8080",
        "Content-Type: application/json",
        "Authorization: Bearer " + TOKEN);
  }

  private static String send(String requestLine, String body, String... headers)
      throws IOException {
    byte[] content = body.getBytes(StandardCharsets.UTF_8);
    Iterator<String> lines = Stream.concat(Stream.of(requestLine), Stream.of(headers)).iterator();
    StringBuilder head = new StringBuilder();
    lines.forEachRemaining(line -> head.append(line).append("\r\n"));
    if (content.length > 0) {
      head.append("Content-Length: ").append(content.length).append("\r\n");
    }
    head.append("Connection: close\r\n\r\n");
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write(head.toString().getBytes(StandardCharsets.UTF_8));
      try {
        socket.getOutputStream().write(content);
      } catch (IOException e) {
        // refused before the end of the body
      }
      InputStream in = socket.getInputStream();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
