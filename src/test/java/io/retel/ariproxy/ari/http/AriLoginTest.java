// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Secret;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The login is for the scheme, host and port of ari.url. */
class AriLoginTest {

  @ParameterizedTest
  @CsvSource({
    "http://pbx:8088/ari, http://pbx:8088/ari/channels",
    "http://pbx:8088/ari, http://PBX:8088/other",
    "http://pbx:8088/ari, ws://pbx:8088/ari/events?app=a",
    "http://pbx/ari, http://pbx:80/ari",
    "https://pbx/ari, wss://pbx:443/ari/events",
    "http://[::1]:8088/ari, ws://[::1]:8088/ari/events",
  })
  void isForAri(String ari, String url) {
    assertThat(login(ari).authorization(URI.create(url)))
        .contains(
            "Basic " + Base64.getEncoder().encodeToString("ü:s".getBytes(StandardCharsets.UTF_8)));
  }

  @ParameterizedTest
  @CsvSource({
    "http://pbx:8088/ari, http://other:8088/ari",
    "http://pbx:8088/ari, http://pbx:8089/ari",
    "http://pbx:8088/ari, http://pbx/ari",
    "http://pbx:8088/ari, https://pbx:8088/ari",
    "https://pbx:8089/ari, http://pbx:8089/ari",
    "https://pbx:8089/ari, ws://pbx:8089/ari/events",
    "http://pbx:8088/ari, http://pbx.example:8088/ari",
    "http://pbx:8088/ari, http://pbx:8088@other:8088/ari",
    "http://pbx:8088/ari, http://user@other:8088/pbx:8088/ari",
    "http://localhost:8088/ari, http://127.0.0.1:8088/ari",
    "http://pbx:8088/ari, /ari/channels",
    "http://pbx:8088/ari, mailto:pbx",
  })
  void isForNoOtherServer(String ari, String url) {
    assertThat(login(ari).authorization(URI.create(url))).isEmpty();
  }

  @Test
  void doesNotShowPassword() {
    assertThat(login("http://pbx/ari")).hasToString("http://pbx:80");
  }

  private static AriLogin login(String url) {
    return new AriLogin(URI.create(url), "ü", new Secret("s"));
  }
}
