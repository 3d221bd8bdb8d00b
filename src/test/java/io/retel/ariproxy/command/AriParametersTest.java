// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Event sources as Asterisk 22.10.1 and 16.28 read them. */
class AriParametersTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "?eventSource=deviceState:a,endpoint: | {} | deviceState:a endpoint:",
        "?eventSource=deviceState:a%2CdeviceState:b | {} | deviceState:a deviceState:b",
        "?eventSource=deviceState:a&eventSource=deviceState:b | {} | deviceState:b",
        "'' | {'eventSource':'deviceState:a,deviceState:b'} | deviceState:a,deviceState:b",
        "'' | {'eventSource':['deviceState:a','deviceState:b']} | deviceState:a deviceState:b",
        "'' | {'eventSource':['deviceState:a,deviceState:b']} | deviceState:a,deviceState:b",
        "?eventSource=deviceState:a | {'eventSource':'deviceState:b'} | deviceState:b",
      })
  void readsEventSources(String query, String body, String expected)
      throws JsonProcessingException {
    AriParameters parameters =
        new AriParameters(
            AriUrl.parse("/applications/app/subscription" + query),
            CommandParser.JSON.readTree(body.replace('\'', '"')));
    assertThat(parameters.eventSources()).isEqualTo(List.of(expected.split(" ")));
  }
}
