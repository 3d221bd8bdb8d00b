// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.ari.AriOperations.Effect;
import io.retel.ariproxy.ari.AriOperations.Operation;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import java.io.IOException;
import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The operation table matches the api-docs of a running Asterisk. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AriOperationsIT {

  /** Operations in Asterisk 16 that are not in ARI 10: none. */
  private static final Set<String> REMOVED_SINCE_16 = Set.of();

  /** Parameters outside the path that identify no channel, bridge, playback or recording. */
  private static final Set<String> NON_RESOURCE_PARAMETERS =
      Set.of(
          ("absorbDTMF after announcer_format appArgs beep before between body callerId "
                  + "configuration connection_type context data destinationRecordingName "
                  + "deviceState direction dtmf duration encapsulation endpoint extension "
                  + "external_host fields filter format formats from ifExists "
                  + "inhibitConnectedLineUpdates label lang maxDurationSeconds maxSilenceSeconds "
                  + "media mohClass mute name newMessages offsetms oldMessages operation "
                  + "priority reason reason_code recorder_format refer_to report_events role "
                  + "skipms spy states terminateOn timeout to to_self transport transport_data "
                  + "type value variable variables whisper")
              .split(" "));

  private static final Map<String, ResourceType> CREATED_TYPES =
      Map.of(
          "Channel", ResourceType.CHANNEL,
          "Bridge", ResourceType.BRIDGE,
          "Playback", ResourceType.PLAYBACK,
          "LiveRecording", ResourceType.RECORDING);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http =
      HttpClient.newBuilder()
          .authenticator(
              new Authenticator() {
                @Override
                protected PasswordAuthentication getPasswordAuthentication() {
                  return new PasswordAuthentication(
                      RealAsterisk.USERNAME, RealAsterisk.PASSWORD.toCharArray());
                }
              })
          .build();

  private List<DocumentedOperation> asterisk22;

  /** An operation from the api-docs. */
  private record DocumentedOperation(
      String method, String path, String responseClass, List<String> parameters) {

    String template() {
      return method + " " + path;
    }

    boolean creates() {
      return method.equals("POST") && CREATED_TYPES.containsKey(responseClass);
    }

    @Override
    public String toString() {
      return template();
    }
  }

  private List<DocumentedOperation> asterisk22() throws Exception {
    if (asterisk22 == null) {
      asterisk22 = documentedOperations("sid");
    }
    return asterisk22;
  }

  @AfterAll
  void clearOperations() {
    asterisk22 = null;
  }

  @Test
  void tableMatchesAsterisk22Operations() throws Exception {
    Set<String> missing = templates(asterisk22());
    missing.removeAll(AriOperations.templates());
    Set<String> unexpected = new TreeSet<>(AriOperations.templates());
    unexpected.removeAll(templates(asterisk22()));

    assertThat(missing).as("operations missing from the table").isEmpty();
    assertThat(unexpected).as("operations in the table, but not in the api-docs").isEmpty();
  }

  @Test
  void tableFollowsApiDocsOrder() throws Exception {
    assertThat(AriOperations.templates())
        .containsExactlyElementsOf(
            asterisk22().stream().map(DocumentedOperation::template).toList());
  }

  @Test
  void tableContainsAsterisk16Operations() throws Exception {
    Set<String> missing = templates(documentedOperations("bullseye"));
    missing.removeAll(AriOperations.templates());

    assertThat(missing).as("operations missing from the table").isEqualTo(REMOVED_SINCE_16);
  }

  /** A snoop channel is a channel, with its own resource type. */
  @Test
  void tableMarksCreatingPosts() throws Exception {
    for (DocumentedOperation documented : asterisk22()) {
      Operation operation = AriOperations.byTemplate().get(documented.template());
      assertThat(operation.effect() == Effect.CREATES)
          .as("%s creates a resource", documented)
          .isEqualTo(documented.creates());
      if (documented.creates()) {
        ResourceType type =
            documented.path().contains("/snoop")
                ? ResourceType.SNOOPING
                : CREATED_TYPES.get(documented.responseClass());
        assertThat(operation.type())
            .as("type of the resource created by %s", documented)
            .isEqualTo(type);
        assertThat(operation.idParameter())
            .as("id parameter of %s", documented)
            .isEqualTo(idParameter(type))
            .isIn(documented.parameters());
      }
    }
  }

  @Test
  void tableNamesSecondLegParameters() throws Exception {
    for (DocumentedOperation documented : asterisk22()) {
      assertThat(AriOperations.byTemplate().get(documented.template()).secondLegParameter())
          .as("%s", documented)
          .isEqualTo(documented.parameters().contains("otherChannelId") ? "otherChannelId" : null);
    }
  }

  @Test
  void classifiesEveryPathParameter() throws Exception {
    String parameters =
        asterisk22().stream()
            .flatMap(documented -> Stream.of(documented.path().split("/")))
            .filter(segment -> segment.startsWith("{"))
            .distinct()
            .filter(parameter -> !AriOperations.pathParameters().contains(parameter))
            .collect(joining(", "));
    assertThat(parameters).as("unclassified path parameters").isEmpty();
  }

  /** A new parameter that identifies a resource is checked against lost applications. */
  @Test
  void classifiesEveryOtherParameter() throws Exception {
    Set<String> parameters = new TreeSet<>();
    for (DocumentedOperation documented : asterisk22()) {
      Operation operation = AriOperations.byTemplate().get(documented.template());
      if (!documented.method().equals("GET")) {
        documented.parameters().stream()
            .filter(parameter -> !documented.path().contains("{" + parameter + "}"))
            .filter(parameter -> !parameter.equals(operation.idParameter()))
            .filter(parameter -> !parameter.equals(operation.secondLegParameter()))
            .forEach(parameters::add);
      }
    }
    assertThat(parameters).containsAll(AriOperations.namingParameters());
    parameters.removeAll(AriOperations.namingParameters());
    parameters.removeAll(NON_RESOURCE_PARAMETERS);
    assertThat(parameters).as("unclassified parameters").isEmpty();
  }

  private static String idParameter(ResourceType type) {
    return switch (type) {
      case CHANNEL -> "channelId";
      case BRIDGE -> "bridgeId";
      case PLAYBACK -> "playbackId";
      case RECORDING -> "name";
      case SNOOPING -> "snoopId";
      default -> throw new IllegalArgumentException("Not created: " + type);
    };
  }

  private static Set<String> templates(List<DocumentedOperation> operations) {
    return operations.stream()
        .map(DocumentedOperation::template)
        .collect(toCollection(TreeSet::new));
  }

  private List<DocumentedOperation> documentedOperations(String suite)
      throws IOException, InterruptedException {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      List<DocumentedOperation> operations = new ArrayList<>();
      List<String> declarations = new ArrayList<>();
      for (JsonNode api : get(asterisk, "/api-docs/resources.json").path("apis")) {
        declarations.add(api.path("path").asText().replace("{format}", "json"));
      }
      declarations.sort(Comparator.naturalOrder());
      for (String declaration : declarations) {
        for (JsonNode api : get(asterisk, declaration).path("apis")) {
          for (JsonNode operation : api.path("operations")) {
            operations.add(
                new DocumentedOperation(
                    operation.path("httpMethod").asText(),
                    api.path("path").asText(),
                    operation.path("responseClass").asText(),
                    operation.path("parameters").findValuesAsText("name")));
          }
        }
      }
      return operations;
    }
  }

  private JsonNode get(RealAsterisk asterisk, String path)
      throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(URI.create(asterisk.url() + path)).build();
    return JSON.readTree(http.send(request, BodyHandlers.ofByteArray()).body());
  }
}
