// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.MissingNode;
import io.retel.ariproxy.ari.AriOperations.Match;
import io.retel.ariproxy.ari.AriOperations.Operation;
import io.retel.ariproxy.command.AriUrl;
import io.retel.ariproxy.command.PreparedRequest;
import io.retel.ariproxy.command.RecordPosition;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Operations are matched as Asterisk matches them. */
class AriOperationsTest {

  @Test
  void tableContainsAllAri10Operations() {
    assertThat(AriOperations.templates()).hasSize(109);
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /channels, GET /channels",
    "POST, /ari/channels?endpoint=x, POST /channels",
    "POST, /channels/c, POST /channels/{channelId}",
    "POST, /channels/create, POST /channels/create",
    "POST, /channels/cr%65ate, POST /channels/create",
    "POST, /channels/externalMedia, POST /channels/externalMedia",
    "POST, /channels/c/answer, POST /channels/{channelId}/answer",
    "POST, /channels/answer/answer, POST /channels/{channelId}/answer",
    "DELETE, /channels/c/moh, DELETE /channels/{channelId}/moh",
    "PUT, /endpoints/sendMessage, PUT /endpoints/sendMessage",
    "PUT, /endpoints/PJSIP/bob/sendMessage, PUT /endpoints/{tech}/{resource}/sendMessage",
    "GET, /recordings/stored/dir%2Fr/file, GET /recordings/stored/{recordingName}/file",
    "POST, /events/claim, POST /events/claim",
    "POST, /events/user/claim, POST /events/user/{eventName}"
  })
  void findsOperationOfRequest(String method, String url, String template) {
    assertThat(find(method, url).operation()).map(Operation::template).contains(template);
  }

  @ParameterizedTest
  @CsvSource({
    "DELETE, /channels",
    "PUT, /channels/c",
    // literal segments precede parameters, regardless of the method
    "GET, /channels/create",
    "DELETE, /channels/externalMedia",
    "POST, /channels/create/answer",
    "GET, /endpoints/refer",
    "GET, /Channels",
    "POST, /channels/c/Answer",
    "POST, /channels/c/answer/x",
    "POST, /channels/c/anything-new",
    "GET, /anything-new",
    "GET, /ari/ari/channels"
  })
  void findsNoOperationForUnknownRequest(String method, String url) {
    assertThat(find(method, url).operation()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "/channels/c/anything-new, CHANNEL:c",
    "/channels/c/play/p/anything/new, 'CHANNEL:c, PLAYBACK:p'",
    "/bridges/b/videoSource/c, 'BRIDGE:b, CHANNEL:c'",
    "/endpoints/PJSIP/bob/refer, ENDPOINT:PJSIP/bob",
    "/channels/create/answer, ''",
    "/asterisk/config/dynamic/a/b/c, ''",
    "/anything-new/x, ''"
  })
  void findsResourcesInKnownPathPrefix(String url, String resources) {
    assertThat(find("POST", url).pathResources())
        .extracting(Resource::key)
        .isEqualTo(resources.isEmpty() ? List.of() : List.of(resources.split(", ")));
  }

  @ParameterizedTest
  @CsvSource({
    "DELETE, /bridges/b, BRIDGE:b",
    "DELETE, /channels/c, CHANNEL:c",
    "DELETE, /playbacks/p, PLAYBACK:p",
    "DELETE, /recordings/live/dir%2Fr, RECORDING:dir/r",
    "POST, /recordings/live/r/stop, RECORDING:r"
  })
  void successEndsResourceWithoutEndEvent(String method, String url, String ended) {
    assertThat(prepare(method, url).ended()).extracting(Resource::key).containsExactly(ended);
  }

  @ParameterizedTest
  @CsvSource({
    "DELETE, /channels/c/moh",
    "DELETE, /bridges/b/moh",
    "DELETE, /recordings/live/r/pause",
    "DELETE, /recordings/stored/r",
    "GET, /bridges/b",
    "POST, /bridges/b"
  })
  void otherOperationsEndNoResource(String method, String url) {
    assertThat(prepare(method, url).ended()).isEmpty();
  }

  private static Match find(String method, String url) {
    return AriOperations.find(method, AriUrl.parse(url).segments());
  }

  private static PreparedRequest prepare(String method, String url) {
    RecordPosition origin = new RecordPosition("commands", 3, 42, "key", Instant.EPOCH);
    return PreparedRequest.of(origin, method, url, MissingNode.getInstance());
  }
}
