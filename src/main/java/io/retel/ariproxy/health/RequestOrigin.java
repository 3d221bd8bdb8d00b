// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.netty.util.NetUtil;
import io.retel.ariproxy.health.RefusedRequests.Reason;
import io.retel.ariproxy.text.LogText;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses requests of web pages: a browser sends the name of the page's server as {@code Host},
 * even if that name resolves to this address (DNS rebinding), and the page's server as {@code
 * Origin}.
 */
final class RequestOrigin implements Handler<RoutingContext> {

  private static final Pattern AUTHORITY =
      Pattern.compile("(?<host>\\[[0-9a-fA-F:.]+]|[^\\[\\]:/@\\s]+)(:\\d{1,5})?");

  private static final Pattern ORIGIN = Pattern.compile("https?://(?<authority>.+)");

  private final Set<String> allowedHosts;
  private final RefusedRequests refused;

  /**
   * @param allowedHosts host names in lower case
   */
  RequestOrigin(Set<String> allowedHosts, RefusedRequests refused) {
    this.allowedHosts = allowedHosts;
    this.refused = refused;
  }

  @Override
  public void handle(RoutingContext routing) {
    HttpServerRequest request = routing.request();
    String host = request.getHeader(HttpHeaders.HOST);
    if (!isHostAllowed(request)) {
      refused.refuse(
          routing,
          421,
          Reason.HOST,
          "Host "
              + LogText.abbreviate(host)
              + " is not an IP address, localhost, or one of management.allowed-hosts");
    } else if (!areOriginsAllowed(request.headers().getAll(HttpHeaders.ORIGIN), host)) {
      refused.refuse(
          routing,
          403,
          Reason.ORIGIN,
          "Origin "
              + LogText.abbreviate(request.getHeader(HttpHeaders.ORIGIN))
              + " is neither this server nor one of management.allowed-hosts");
    } else if (!JolokiaHandler.isPath(routing) && !isRead(request)) {
      refused.refuse(
          routing, 405, Reason.METHOD, "only GET without a body is supported at this path");
    } else {
      routing.next();
    }
  }

  private boolean isHostAllowed(HttpServerRequest request) {
    List<String> hosts = request.headers().getAll(HttpHeaders.HOST);
    if (hosts.isEmpty()) {
      // probes of load balancers; no browser
      return request.version() == HttpVersion.HTTP_1_0;
    }
    return hosts.size() == 1 && hostName(hosts.get(0)).filter(this::isAllowed).isPresent();
  }

  private boolean isAllowed(String host) {
    return host.equals("localhost")
        || NetUtil.isValidIpV4Address(host)
        || host.startsWith("[") && NetUtil.isValidIpV6Address(host)
        || allowedHosts.contains(host);
  }

  private boolean areOriginsAllowed(List<String> origins, String host) {
    return origins.isEmpty() || origins.size() == 1 && isOriginAllowed(origins.get(0), host);
  }

  private boolean isOriginAllowed(String origin, String host) {
    Matcher parts = ORIGIN.matcher(origin);
    return parts.matches()
        && (parts.group("authority").equalsIgnoreCase(host)
            || hostName(parts.group("authority")).filter(allowedHosts::contains).isPresent());
  }

  private static Optional<String> hostName(String authority) {
    Matcher parts = AUTHORITY.matcher(authority);
    return parts.matches()
        ? Optional.of(parts.group("host").toLowerCase(Locale.ROOT))
        : Optional.empty();
  }

  private static boolean isRead(HttpServerRequest request) {
    String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
    return (request.method().equals(HttpMethod.GET) || request.method().equals(HttpMethod.HEAD))
        && !request.headers().contains(HttpHeaders.TRANSFER_ENCODING)
        && (length == null || length.equals("0"));
  }
}
