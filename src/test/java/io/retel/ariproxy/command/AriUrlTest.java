// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests which URLs are accepted unchanged and which are rejected. */
class AriUrlTest {

  @ParameterizedTest
  @CsvSource({
    "/channels, /channels",
    "/ari/channels, /channels",
    "/ari/channels/1532965104.0, /channels/1532965104.0",
    "/ari/ari/x, /ari/x",
    "/arid/x, /arid/x",
    "/channels/a..b, /channels/a..b",
    "/channels/..., /channels/...",
    "/channels/user@host, /channels/user@host",
    "/@host/x, /@host/x",
    "/channels/a;b:c!$&'()*+=~_-, /channels/a;b:c!$&'()*+=~_-",
    "/channels/%7B%7Bari.password%7D%7D, /channels/%7B%7Bari.password%7D%7D",
    "/recordings/live/dir%2Fsub1, /recordings/live/dir%2Fsub1",
    "/channels/%e2%82%ac, /channels/%e2%82%ac",
    "/channels/%252e%252e, /channels/%252e%252e"
  })
  void preservesPath(String url, String path) {
    assertThat(AriUrl.parse(url).path()).isEqualTo(path);
    assertThat(AriUrl.parse(url).query()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "endpoint=Local/3000@default&app=a,b",
        "x=../..&y=//host&z=http://host:80/?x",
        "value=a%0d%0ab&n=%2e%2e",
        "&&=&=x&a=b=c",
        "caller=%22Zo%C3%AB%22%20+1"
      })
  void preservesQuery(String query) {
    AriUrl url = AriUrl.parse("/ari/channels?" + query);
    assertThat(url.path()).isEqualTo("/channels");
    assertThat(url.query()).isEqualTo(query);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "channels",
        "ari/channels",
        "http://host/ari/channels",
        "HTTPS://host/",
        "file:/etc/passwd",
        "//host/channels",
        "\\\\host\\channels",
        "?x=y",
        " /channels",
        "../channels"
      })
  void rejectsUrlWithoutSingleLeadingSlash(String url) {
    assertRejected(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/..",
        "/../channels",
        "/ari/..",
        "/ari/../httpstatus",
        "/ari/./channels",
        "/channels/..",
        "/channels/%2e%2e/x",
        "/channels/%2E%2e",
        "/channels/.%2e",
        "/channels/%2F..%2F..",
        "/channels/x%2f..",
        "/channels/..%2Fx",
        "/channels/..%5c..",
        "/channels/%2e"
      })
  void rejectsPathTraversal(String url) {
    assertRejected(url);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/ari", "/ari/", "/ari?x=y", "/?x=y", "/ari//host", "/channels/"})
  void rejectsMissingOrEmptySegments(String url) {
    assertRejected(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels\r\nHost: evil",
        "/channels/a\u0000b",
        "/channels\t",
        "/channels\u007f",
        "/channels?x=a\nb",
        "/channels/%00",
        "/channels/%0d%0aX",
        "/channels/a%7Fb",
        "/channels/%C2%85"
      })
  void rejectsControlCharacters(String url) {
    assertRejected(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels#fragment",
        "/channels?x=y#z",
        "/channels/a b",
        "/channels?x=a b",
        "/channels/é",
        "/channels?x=電話",
        "/channels/😀",
        "/channels/\ud800",
        "/channels/{{ari.password}}",
        "/channels?x={{ari.password}}",
        "/channels/${header.x}",
        "/channels?x=${sys.user}",
        "/channels/\"",
        "/channels/<x>",
        "/channels/a|b",
        "/channels/a^b",
        "/channels/`x`",
        "/channels?x=[::1]",
        "/channels\\x"
      })
  void rejectsUnencodedCharacters(String url) {
    assertRejected(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels/%",
        "/channels/%4",
        "/channels/%zz",
        "/channels/%-1",
        "/channels/%+1",
        "/channels?x=%",
        "/channels?x=%zz&y=z",
        "/channels?x=%+1",
        "/channels?%g1=x"
      })
  void rejectsInvalidPercentEncoding(String url) {
    assertRejected(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/channels?api_key=me:secret",
        "/channels?x=y&api_key=me:secret",
        "/channels?api%5Fkey=me:secret",
        "/channels?API_KEY=me:secret",
        "/channels?api_key"
      })
  void rejectsApiKeyWithoutEchoingIt(String url) {
    assertThatThrownBy(() -> AriUrl.parse(url))
        .isInstanceOf(CommandRejectedException.class)
        .hasMessageContaining("api_key")
        .hasMessageNotContaining("secret");
  }

  /** Asterisk truncates the text there and would see different names and ids than the proxy. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/bridges?bridgeId=a%00b",
        "/bridges?x=%00",
        "/channels?api_key%00=me:secret",
        "/channels/a%00b"
      })
  void rejectsEncodedNullByte(String url) {
    assertRejected(url);
  }

  /**
   * Asterisk would create a bridge with that id, and not respond to GET /bridges while it exists.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/bridges/%ff%fe",
        "/bridges?bridgeId=%ff",
        "/bridges?%c3=x",
        "/bridges?bridgeId=%c3%28",
        "/bridges?bridgeId=%c3",
        "/bridges?bridgeId=%c3&x=%a9",
        "/bridges?bridgeId=%ed%a0%80",
        "/bridges?bridgeId=%c0%af"
      })
  void rejectsInvalidUtf8(String url) {
    assertRejected(url);
  }

  @Test
  void reportsInvalidCharacter() {
    assertThatThrownBy(() -> AriUrl.parse("/channels/a b"))
        .hasMessage(
            "The command's url has a character at position 11 (U+0020) that must be percent-encoded");
  }

  @Test
  void decodesSegmentsForMapping() {
    assertThat(AriUrl.parse("/ari/recordings/live/dir%2Fsub1%2B%E2%82%AC%2541").segments())
        .containsExactly("recordings", "live", "dir/sub1+€%41");
  }

  @Test
  void decodesPlusInPathAsSpace() {
    AriUrl url = AriUrl.parse("/bridges/a+b");
    assertThat(url.segments()).containsExactly("bridges", "a b");
    assertThat(url.path()).isEqualTo("/bridges/a+b");
  }

  @ParameterizedTest
  @CsvSource({
    "/x?id=a, a",
    "/x?id=a&id=b, b",
    "/x?ID=a,",
    "/x?id=, ''",
    "/x?id=a&id=, ''",
    "/x?id, ''",
    "/x?other=id=a,",
    "/x?i%64=%61+b, a b",
    "/x,"
  })
  void readsLastValueOfQueryParameter(String url, String value) {
    assertThat(AriUrl.parse(url).queryParameter("id").orElse(null)).isEqualTo(value);
  }

  private static void assertRejected(String url) {
    assertThatThrownBy(() -> AriUrl.parse(url))
        .isInstanceOfSatisfying(
            CommandRejectedException.class,
            rejection -> assertThat(rejection.status()).isEqualTo(400))
        .hasMessageStartingWith("The command's url ");
  }
}
