// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.CapturedLog;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import io.retel.ariproxy.fixtures.kafka.SecureKafkaBroker;
import io.retel.ariproxy.fixtures.kafka.TopicReader;
import io.retel.ariproxy.fixtures.kafka.TopicWriter;
import io.retel.ariproxy.fixtures.proxy.Controller;
import io.retel.ariproxy.fixtures.proxy.EmbeddedProxy;
import io.retel.ariproxy.fixtures.proxy.ProxySettings;
import io.retel.ariproxy.fixtures.tls.CertificateAuthority;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.metadata.authorizer.StandardAuthorizer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The ACLs in docs/security.md, on a real broker with an authorizer. */
@Tag(FullRun.ON_DEMAND)
@FullRun("starts a proxy for each ACL; KafkaPermissionsTest tests the sentences")
class KafkaAclsIT {

  private static final String APP = "acls";
  private static final String CONTROLLER = "controller";

  /** The operations that the proxy or a controller does not work without. */
  private static final String WAITS = "waits";

  private static final Pattern NAME = Pattern.compile("`([^`]+)`");

  @TempDir private static Path certificates;
  @AutoClose private static SecureKafkaBroker kafka;

  private final String id = UUID.randomUUID().toString().substring(0, 8);

  /** Names in this test, by setting. */
  private final Map<String, String> names =
      Map.of(
          "kafka.events-and-responses-topic", "events-" + id,
          "kafka.unmapped-events-topic", "events-" + id + "-unmapped",
          "kafka.commands-topic", "commands-" + id,
          "kafka.generic-commands-topic", "generic-" + id,
          "callcontext.kafka-topic", "contexts-" + id,
          "kafka.group-id", "group-" + id,
          "kafka.generic-group-id", "generic-group-" + id,
          "group.id", "controller-group-" + id);

  /**
   * An ACL of the documentation.
   *
   * @param user proxy or controller
   * @param name the setting with the name of the topic or group
   * @param without what happens without the ACL
   */
  private record Acl(
      String user, ResourceType resource, String name, AclOperation operation, String without) {

    /** As the proxy names it. */
    String missing(Map<String, String> names) {
      return KafkaPermissions.missing(operation, resource, names.get(name));
    }

    @Override
    public String toString() {
      return user + ": " + operation + " on " + resource + " " + name;
    }
  }

  @BeforeAll
  static void launchBroker() {
    CertificateAuthority ca = CertificateAuthority.create(certificates.resolve("ca"));
    kafka =
        SecureKafkaBroker.launch(
            ca.forLocalhost(),
            ca.certificateFile(),
            Map.of(
                "authorizer.class.name",
                StandardAuthorizer.class.getName(),
                "auto.create.topics.enable",
                "false",
                // the listener without login: the tests' own clients
                "super.users",
                "User:ANONYMOUS"));
    kafka.setPassword(CONTROLLER, SecureKafkaBroker.PASSWORD);
  }

  @AfterEach
  void removeAcls() {
    kafka.plaintextBroker().removeAcls();
  }

  private static List<Acl> documented(Predicate<Acl> condition) {
    return MarkdownPage.read("docs/security.md")
        .text()
        .lines()
        .dropWhile(line -> !line.contains("<a id=\"acls\">"))
        .filter(line -> line.matches("\\| (proxy|controller) \\|.*"))
        .map(line -> line.split("\\|", -1))
        .flatMap(KafkaAclsIT::acls)
        .filter(condition)
        .toList();
  }

  /** Each resource and operation of a row. */
  private static Stream<Acl> acls(String[] cells) {
    List<Acl> acls = new ArrayList<>();
    for (MatchResult name : NAME.matcher(cells[3]).results().toList()) {
      for (String operation : cells[4].strip().split(", ")) {
        acls.add(
            new Acl(
                cells[1].strip(),
                ResourceType.valueOf(cells[2].strip().toUpperCase(Locale.ROOT)),
                name.group(1),
                AclOperation.valueOf(
                    operation.replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase(Locale.ROOT)),
                cells[6].strip()));
      }
    }
    return acls.stream();
  }

  static List<Acl> proxyAcls() {
    return documented(acl -> acl.user().equals("proxy"));
  }

  static List<Acl> controllerAcls() {
    return documented(acl -> acl.user().equals(CONTROLLER));
  }

  private static boolean isRequired(Acl acl) {
    return acl.without().startsWith(WAITS) && acl.operation() != AclOperation.CREATE;
  }

  private void permit(Acl acl) {
    kafka
        .plaintextBroker()
        .permit("User:" + acl.user(), acl.resource(), names.get(acl.name()), acl.operation());
  }

  private void revoke(Acl acl) {
    kafka
        .plaintextBroker()
        .revoke("User:" + acl.user(), acl.resource(), names.get(acl.name()), acl.operation());
  }

  private ProxySettings settings(SimulatedAsterisk asterisk) {
    ProxySettings settings =
        ProxySettings.withExistingTopics(
                asterisk,
                APP,
                kafka.plaintextBroker(),
                names.get("kafka.events-and-responses-topic"),
                names.get("kafka.commands-topic"))
            .with(Setting.KAFKA_BROKERS, kafka.address("SASL_PLAINTEXT"))
            .with(Setting.KAFKA_SECURITY_PROTOCOL, "SASL_PLAINTEXT")
            .with(Setting.KAFKA_USERNAME, SecureKafkaBroker.USERNAME)
            .with(Setting.KAFKA_PASSWORD, SecureKafkaBroker.PASSWORD);
    names.forEach(
        (key, name) ->
            Setting.all().stream()
                .filter(setting -> setting.key().equals(key))
                .forEach(setting -> settings.with(setting, name)));
    return settings;
  }

  private void createTopics() {
    names.forEach(
        (key, name) -> {
          if (key.endsWith("topic")) {
            kafka.plaintextBroker().createTopic(name, key.startsWith("callcontext") ? 1 : 2);
          }
        });
  }

  @Test
  void documentsAllAcls() {
    assertThat(proxyAcls()).hasSize(23);
    assertThat(proxyAcls().stream().filter(KafkaAclsIT::isRequired)).hasSize(8);
    assertThat(controllerAcls()).hasSize(5);
  }

  @Test
  void worksWithExactlyTheseAcls() {
    proxyAcls().forEach(this::permit);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk);
      try (CapturedLog log = new CapturedLog();
          EmbeddedProxy proxy = EmbeddedProxy.start(settings)) {
        asterisk.awaitConnected(APP);
        try (Controller controller = new Controller(settings, kafka.plaintextBroker());
            TopicWriter writer = new TopicWriter(kafka.plaintextBroker().bootstrapServers())) {
          assertHandlesCall(asterisk, controller, writer, "first");
          Awaitility.await().untilAsserted(() -> assertAllUp(proxy));
          assertThat(log.lines(Level.WARN)).noneMatch(line -> line.contains("ACL"));

          String store = names.get("callcontext.kafka-topic");
          kafka.plaintextBroker().deleteTopic(store);
          kafka.plaintextBroker().deleteTopic(names.get("kafka.unmapped-events-topic"));
          kafka.plaintextBroker().createTopic(names.get("kafka.unmapped-events-topic"), 1);
          Awaitility.await("store's topic created again")
              .until(() -> kafka.plaintextBroker().partitionCount(store) == 1);
          Awaitility.await("partitions added")
              .until(
                  () ->
                      kafka
                              .plaintextBroker()
                              .partitionCount(names.get("kafka.unmapped-events-topic"))
                          == 12);
          assertThat(kafka.plaintextBroker().topicConfig(store, "cleanup.policy"))
              .isEqualTo("compact");
        }
      }
    }
  }

  private void assertHandlesCall(
      SimulatedAsterisk asterisk, Controller controller, TopicWriter writer, String call) {
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", call));
    String channel = controller.event(call, "STASIS_START").channelId();
    controller.execute(call, "POST", "/channels/" + channel + "/answer").assertStatus(204);
    asterisk.emit(APP, "{\"type\":\"SomethingNew\"}");
    controller.awaitUnmapped();
    writer.send(
        names.get("kafka.generic-commands-topic"),
        call,
        "{\"commandId\":\"generic-"
            + call
            + "\",\"ariCommand\":{\"method\":\"GET\",\"url\":\"/asterisk/ping\"}}");
    controller.response("generic-" + call).assertStatus(200);
  }

  private static void assertAllUp(EmbeddedProxy proxy) {
    for (String check : List.of("startup", "kafka", "call-context-store")) {
      assertThat(proxy.health(check)).as(check).isEqualTo("UP");
    }
  }

  @ParameterizedTest
  @MethodSource("proxyAcls")
  void reportsMissingAclAtStartup(Acl missing) {
    if (missing.operation() != AclOperation.CREATE) {
      createTopics();
    }
    proxyAcls().stream().filter(acl -> !acl.equals(missing)).forEach(this::permit);
    String start = "ACLs missing for User:proxy: ";
    // another one can be missing with it, and be named first: AlterConfigs includes DescribeConfigs
    String name = missing.missing(names);
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start();
        CapturedLog log = new CapturedLog();
        EmbeddedProxy proxy = EmbeddedProxy.start(settings(asterisk))) {
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(log.lines(Level.WARN))
                      .anyMatch(
                          line ->
                              line.contains(start)
                                  && (line.contains(name + " ") || line.contains(name + ", "))));
      if (missing.without().startsWith(WAITS)) {
        assertThat(proxy.health("startup")).startsWith("DOWN: ").contains(start, name);
        if (isRequired(missing)) {
          assertThat(proxy.health("kafka")).startsWith("DOWN: ").contains(start, name);
        }
        assertThat(asterisk.totalWebsocketCount()).isZero();
        permit(missing);
      }
      asterisk.awaitConnected(APP);
      Awaitility.await().untilAsserted(() -> assertAllUp(proxy));
    }
  }

  @Test
  void losesNothingWhileAnAclIsMissing() {
    createTopics();
    proxyAcls().forEach(this::permit);
    List<Acl> required = proxyAcls().stream().filter(KafkaAclsIT::isRequired).toList();
    try (SimulatedAsterisk asterisk = SimulatedAsterisk.start()) {
      ProxySettings settings = settings(asterisk);
      try (EmbeddedProxy proxy = EmbeddedProxy.start(settings);
          CapturedLog log = new CapturedLog();
          Controller controller = new Controller(settings, kafka.plaintextBroker());
          TopicWriter writer = new TopicWriter(kafka.plaintextBroker().bootstrapServers());
          TopicReader unmapped =
              TopicReader.of(
                  kafka.plaintextBroker().bootstrapServers(), settings.unmappedTopic())) {
        asterisk.awaitConnected(APP);
        assertHandlesCall(asterisk, controller, writer, "before");
        for (int number = 0; number < required.size(); number++) {
          Acl acl = required.get(number);
          String call = "call-" + number;
          revoke(acl);
          asterisk.call(APP, "100", Map.of("CALL_CONTEXT", call));
          String command = controller.send(call, "GET", "/asterisk/ping");
          asterisk.emit(APP, "{\"type\":\"Unknown" + number + "\"}");
          Awaitility.await(acl.toString())
              .untilAsserted(
                  () ->
                      assertThat(proxy.health("kafka"))
                          .startsWith("DOWN: ")
                          .contains("User:proxy: " + acl.missing(names)));
          asterisk.emit(APP, "{\"type\":\"Later" + number + "\"}");
          assertThat(log.lines(Level.ERROR))
              .as(acl.toString())
              .anyMatch(line -> line.contains("User:proxy: " + acl.missing(names)));

          permit(acl);

          controller.event(call, "STASIS_START");
          controller.response(command).assertStatus(200);
          List<String> types = List.of("UNKNOWN" + number, "LATER" + number);
          assertThat(
                  unmapped
                      .await(2, record -> types.contains(record.json().path("type").asText()))
                      .stream()
                      .map(record -> record.json().path("type").asText()))
              .containsExactlyElementsOf(types);
          assertHandlesCall(asterisk, controller, writer, "after-" + number);
          Awaitility.await(acl + " is back").untilAsserted(() -> assertAllUp(proxy));
        }
        assertThat(proxy.counter("ari-proxy.events.lost")).isZero();
        assertThat(proxy.counter("ari-proxy.responses.lost")).isZero();
      }
    }
  }

  @Test
  void controllerWorksWithExactlyTheseAcls() throws Exception {
    createTopics();
    controllerAcls().forEach(this::permit);
    produceAndConsumeAll();
  }

  @ParameterizedTest
  @MethodSource("controllerAcls")
  void controllerNeedsEachAcl(Acl missing) {
    createTopics();
    controllerAcls().stream().filter(acl -> !acl.equals(missing)).forEach(this::permit);
    assertThatThrownBy(this::produceAndConsumeAll)
        .hasRootCauseInstanceOf(AuthorizationException.class)
        .hasStackTraceContaining(names.get(missing.name()));
  }

  /** Writes and reads as a controller does, with its own login. */
  private void produceAndConsumeAll() throws Exception {
    Map<String, Object> client =
        new HashMap<>(
            KafkaSecurity.of(SecurityProtocol.SASL_PLAINTEXT)
                .withCredentials(
                    "SCRAM-SHA-256", CONTROLLER, new Secret(SecureKafkaBroker.PASSWORD))
                .options());
    client.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, kafka.address("SASL_PLAINTEXT"));
    client.put("group.id", names.get("group.id"));
    client.put("auto.offset.reset", "earliest");
    try (KafkaProducer<String, String> producer =
            new KafkaProducer<>(client, new StringSerializer(), new StringSerializer());
        KafkaConsumer<String, String> consumer =
            new KafkaConsumer<>(client, new StringDeserializer(), new StringDeserializer())) {
      for (String topic : List.of("kafka.commands-topic", "kafka.generic-commands-topic")) {
        producer.send(new ProducerRecord<>(names.get(topic), "call", "{}")).get();
      }
      for (String topic :
          List.of("kafka.events-and-responses-topic", "kafka.unmapped-events-topic")) {
        try (TopicWriter proxy = new TopicWriter(kafka.plaintextBroker().bootstrapServers())) {
          proxy.send(names.get(topic), "call", "{}");
        }
        consumer.subscribe(List.of(names.get(topic)));
        Awaitility.await(topic).until(() -> !consumer.poll(Duration.ofMillis(100)).isEmpty());
        consumer.commitSync();
      }
    } catch (ExecutionException | AuthorizationException e) {
      throw new IllegalStateException(e);
    }
  }
}
