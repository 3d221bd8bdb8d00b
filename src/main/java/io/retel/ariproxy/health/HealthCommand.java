// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.text.LogText;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * The {@code --health} option: checks from another process whether the proxy on this host is alive.
 * For container images, which do not contain another program for this.
 */
public final class HealthCommand {

  private static final String LIVENESS_PATH = "/observe/health/live";

  /** Timeout of the connect, and of each read of the response. */
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  /** Of the whole check: another program at the port can send a byte from time to time. */
  private static final Duration DEADLINE = TIMEOUT.multipliedBy(2);

  private static final int MAX_BODY_BYTES = 65_536;

  private HealthCommand() {}

  /**
   * Requests the liveness of the proxy, within {@link #DEADLINE}. Follows no redirect.
   *
   * @param settings the settings of that proxy
   * @return whether it is alive, and the response or error
   */
  public static Result run(Settings settings) {
    if (!ManagementPort.isEnabled(settings)) {
      return new Result(false, "management.port is 0, so health is not available");
    }
    URI livenessUrl;
    try {
      livenessUrl =
          URI.create(
              "http://%s:%d%s"
                  .formatted(
                      connectableHost(settings.get(Setting.MANAGEMENT_HOST)),
                      settings.get(Setting.MANAGEMENT_PORT),
                      LIVENESS_PATH));
    } catch (UnknownHostException e) {
      return new Result(false, "management.host cannot be resolved: " + e.getMessage());
    }
    FutureTask<Result> request = new FutureTask<>(() -> request(livenessUrl));
    Thread thread = new Thread(request, "health-request");
    thread.setDaemon(true);
    thread.start();
    try {
      return request.get(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return new Result(
          false, livenessUrl + " does not respond within " + DEADLINE.toSeconds() + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Result(false, "interrupted");
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Result request(URI livenessUrl) {
    try {
      HttpURLConnection connection = (HttpURLConnection) livenessUrl.toURL().openConnection();
      connection.setConnectTimeout((int) TIMEOUT.toMillis());
      connection.setReadTimeout((int) TIMEOUT.toMillis());
      connection.setInstanceFollowRedirects(false);
      boolean alive = connection.getResponseCode() == HttpURLConnection.HTTP_OK;
      try (InputStream body = alive ? connection.getInputStream() : connection.getErrorStream()) {
        return new Result(
            alive,
            body == null
                ? livenessUrl + " responds with status " + connection.getResponseCode()
                : escape(new String(body.readNBytes(MAX_BODY_BYTES), StandardCharsets.UTF_8)));
      }
    } catch (IOException e) {
      return new Result(
          false, livenessUrl + " does not respond: " + escape(String.valueOf(e.getMessage())));
    }
  }

  /** Another program can listen at the port, so its text is escaped, except line breaks. */
  private static String escape(String text) {
    return text.strip()
        .lines()
        .map(line -> LogText.escape(line, MAX_BODY_BYTES))
        .collect(Collectors.joining("\n"));
  }

  /** Replaces a wildcard address with loopback. */
  private static String connectableHost(String host) throws UnknownHostException {
    InetAddress address = InetAddress.getByName(host);
    String hostAddress =
        (address.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address).getHostAddress();
    return hostAddress.contains(":") ? "[" + hostAddress + "]" : hostAddress;
  }

  /**
   * Result of the check.
   *
   * @param alive whether the proxy reports that it is alive
   * @param message its response, or the reason why none was received
   */
  public record Result(boolean alive, String message) {}
}
