// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** A factory remembers names for good, so their length has a limit. */
class JsonLimitsTest {

  private static final String LONGEST = "n".repeat(JsonLimits.MAX_NAME_LENGTH);

  @Test
  void limitsNamesOfTexts() throws IOException {
    assertLimited(new ObjectMapper(JsonLimits.factory()));
  }

  @Test
  void limitsNamesOfLibraries() throws IOException {
    StreamReadConstraints before = StreamReadConstraints.defaults();
    try {
      JsonLimits.setDefaults();
      assertLimited(new ObjectMapper());
    } finally {
      StreamReadConstraints.overrideDefaultStreamReadConstraints(before);
    }
  }

  @Test
  void limitsNamesOfEventsAndResponses() throws IOException {
    Utf8Json.parser(object(LONGEST).getBytes(UTF_8)).nextValue();
    assertThatThrownBy(
            () -> {
              try (var parser = Utf8Json.parser(object("n".repeat(49_000)).getBytes(UTF_8))) {
                while (parser.nextToken() != null) {
                  // reads all
                }
              }
            })
        .isInstanceOf(StreamConstraintsException.class);
  }

  private static void assertLimited(ObjectMapper json) throws IOException {
    JsonNode tree = json.readTree(object(LONGEST).getBytes(UTF_8));
    assertThat(tree.has(LONGEST)).isTrue();
    assertThatThrownBy(() -> json.readTree(object(LONGEST + "n").getBytes(UTF_8)))
        .isInstanceOf(StreamConstraintsException.class)
        .hasMessageContaining("Name");
    assertThatThrownBy(() -> json.readTree(object(LONGEST + "n")))
        .isInstanceOf(StreamConstraintsException.class);
  }

  private static String object(String name) {
    return "{\"" + name + "\":1}";
  }
}
