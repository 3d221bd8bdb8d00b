// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.net.UnknownHostException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorMessagesTest {

  /** A lookup, one from the JVM's cache, and one in a hosts file. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "db.example: Temporary failure in name resolution",
        "db.example",
        "Unable to resolve host db.example in hosts file /etc/other"
      })
  void unknownNameHasOneMessage(String message) {
    Exception failure = new IOException("connect failed", new UnknownHostException(message));
    assertThat(ErrorMessages.singleLine(failure)).isEqualTo("name cannot be resolved: db.example");
    assertThat(ErrorMessages.ownMessage(failure)).isEqualTo("connect failed");
  }

  @Test
  void describesRootCauseOnOneLine() {
    assertThat(ErrorMessages.singleLine(new IOException(new IllegalStateException("a\n b"))))
        .isEqualTo("a | b");
    assertThat(ErrorMessages.singleLine(new IOException(" a \n\n  b\r\nc ")))
        .isEqualTo("a | b | c");
    assertThat(ErrorMessages.singleLine(new IOException(" "))).isEqualTo("IOException");
  }

  @Test
  void cycleOfCausesEnds() {
    IllegalStateException one = new IllegalStateException("one");
    one.initCause(new IllegalStateException("two", one));
    assertTimeoutPreemptively(
        Duration.ofSeconds(10), () -> assertThat(ErrorMessages.singleLine(one)).isIn("one", "two"));
  }

  /** Foreign text can be of this kind; a quadratic search would take an hour. */
  @Test
  void keepsLongRunOfSpaces() {
    String spaces = "a" + " ".repeat(1_000_000) + "b";
    assertThat(ErrorMessages.singleLine(new IOException(spaces))).isEqualTo(spaces);
  }

  @ParameterizedTest
  @CsvSource({
    "http://crm/lookup?n=493012345 failed, http://crm/lookup?*** failed",
    "http://crm/lookup?493012345 failed, http://crm/lookup?*** failed",
    "http://crm/lookup?active&n=493012345, http://crm/lookup?***",
    "http://crm/lookup?&n=493012345, http://crm/lookup?***",
    "http://crm?493012345, http://crm?***",
    "http://crm/v2/493012345/calls?a#b, http://crm/v2/***/calls?***",
    "http://crm/lookup#493012345, http://crm/lookup#***",
    "http://crm/493012345 http://crm/?1, http://crm/*** http://crm/?***",
    "http://crm/lookup 404, http://crm/lookup 404",
    "/lookup?n=493012345 failed, /lookup?*** failed",
    "really? yes, really? yes"
  })
  void urlHasNeitherQueryNorNumber(String text, String shortened) {
    assertThat(ErrorMessages.withoutUrlDetails(text)).isEqualTo(shortened);
  }

  @Test
  void textOfManyUrlsIsSearchedOnce() {
    String text = "://a".repeat(250_000);
    assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> assertThat(ErrorMessages.withoutUrlDetails(text)).isEqualTo(text));
  }
}
