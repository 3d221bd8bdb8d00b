// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import io.retel.ariproxy.config.Secret;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * ARI's user name and password. They belong to the scheme, host and port of {@code ari.url}: no
 * other server receives them, regardless of routes and headers. Thread-safe.
 */
public final class AriLogin {

  private final Server server;
  private final String username;
  private final Secret password;

  private volatile @Nullable Encoded encoded;

  private record Encoded(String password, String header) {}

  /**
   * @param url the scheme, host and port of ARI; http or https
   */
  public AriLogin(URI url, String username, Secret password) {
    this.server = Server.of(url.getScheme(), url.getHost(), url.getPort());
    this.username = username;
    this.password = password;
  }

  /**
   * Returns the value of the header {@code Authorization} for a request; empty if it goes to
   * another server.
   *
   * @param url http, https, ws or wss
   */
  public Optional<String> authorization(URI url) {
    return authorization(url.getScheme(), url.getHost(), url.getPort());
  }

  /**
   * Returns the same for the parts of a URL.
   *
   * @param port -1 for the scheme's
   */
  Optional<String> authorization(@Nullable String scheme, @Nullable String host, int port) {
    return scheme != null && host != null && Server.of(scheme, host, port).equals(server)
        ? Optional.of(header())
        : Optional.empty();
  }

  private String header() {
    String current = password.reveal();
    Encoded last = encoded;
    if (last == null || !last.password().equals(current)) {
      byte[] credentials = (username + ":" + current).getBytes(StandardCharsets.UTF_8);
      last = new Encoded(current, "Basic " + Base64.getEncoder().encodeToString(credentials));
      encoded = last;
    }
    return last.header();
  }

  /** Returns the server's URL. */
  @Override
  public String toString() {
    return server.toString();
  }

  private record Server(boolean tls, String host, int port) {

    static Server of(String scheme, String host, int port) {
      String lowerCase = scheme.toLowerCase(Locale.ROOT);
      boolean tls = lowerCase.equals("https") || lowerCase.equals("wss");
      return new Server(
          tls,
          // an IPv6 address has brackets in a URI only
          host.toLowerCase(Locale.ROOT).replaceAll("^\\[|]$", ""),
          port >= 0 ? port : tls ? 443 : 80);
    }

    @Override
    public String toString() {
      return (tls ? "https://" : "http://")
          + (host.contains(":") ? "[" + host + "]" : host)
          + ":"
          + port;
    }
  }
}
