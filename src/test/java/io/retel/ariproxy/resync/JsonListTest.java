// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonListTest {

  private final List<JsonNode> elements = new ArrayList<>();

  @ParameterizedTest
  @ValueSource(strings = {"[]", " [ ] ", "[{\"id\":\"a\"},{\"id\":[{}]},null,1]\r\n"})
  void readsElements(String text) throws IOException {
    assertThat(read(text)).isTrue();
    assertThat(new ObjectMapper().valueToTree(elements).toString())
        .isEqualTo(new ObjectMapper().readTree(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\r\n"})
  void emptyTextIsNoList(String text) throws IOException {
    assertThat(read(text)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "null", "\"x\"", "[] []"})
  void rejectsOtherJson(String text) {
    assertThatThrownBy(() -> read(text)).isInstanceOf(MismatchedInputException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[", "[{}", "[{},", "[{\"id\":\"a\"", "[}", "<html>"})
  void rejectsMalformedJson(String text) {
    assertThatThrownBy(() -> read(text)).isInstanceOf(JsonProcessingException.class);
  }

  @Test
  void limitsElementsNotTheList() throws IOException {
    String element = "\"" + "x".repeat((int) JsonList.MAX_ELEMENT_BYTES / 2) + "\"";
    assertThat(read("[" + String.join(",", element, element, element) + "]")).isTrue();
    assertThatThrownBy(() -> read("[[" + String.join(",", element, element, element) + "]]"))
        .hasMessageContaining("an element of the list has more than");
  }

  /** A list of 64 MB can have any number of names, all of which Jackson would remember. */
  @Test
  void remembersNoNames() throws IOException {
    int count = 60_000;
    StringBuilder list = new StringBuilder("[");
    for (int i = 0; i < count; i++) {
      list.append(i == 0 ? "" : ",").append("{\"%0240d\":1}".formatted(i));
    }
    byte[] text = list.append(']').toString().getBytes(StandardCharsets.UTF_8);
    AtomicInteger read = new AtomicInteger();
    long before = heapUsed();
    List<Long> heap = new ArrayList<>();
    JsonList.read(
        Answer.ELEMENTS,
        new ByteArrayInputStream(text),
        element -> {
          if (read.incrementAndGet() == count) {
            heap.add(heapUsed() - before);
          }
        });
    assertThat(heap).singleElement(InstanceOfAssertFactories.LONG).isLessThan(2 * text.length);
  }

  private static long heapUsed() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private boolean read(String text) throws IOException {
    elements.clear();
    return JsonList.read(
        new ObjectMapper(),
        new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)),
        elements::add);
  }
}
