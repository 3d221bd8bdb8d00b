package io.retel.ariproxy.management;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Asks the proxy that runs here whether it is alive, from a process of its own: for images, which
 * have no other program that could.
 */
public final class HealthCommand {

  private static final String LIVENESS_PATH = "/observe/health/live";

  /** For the connect and for the answer, each. */
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  private HealthCommand() {}

  /**
   * Asks, for twice {@link #TIMEOUT} at the longest.
   *
   * @param settings those of the proxy that is asked
   * @return whether it is, and how that is known
   */
  public static Result run(Settings settings) {
    if (!ManagementPort.isEnabled(settings)) {
      return new Result(false, "management.port is 0: there is nothing to ask");
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
      return new Result(false, "management.host is not known: " + e.getMessage());
    }
    try {
      HttpURLConnection connection = (HttpURLConnection) livenessUrl.toURL().openConnection();
      connection.setConnectTimeout((int) TIMEOUT.toMillis());
      connection.setReadTimeout((int) TIMEOUT.toMillis());
      boolean alive = connection.getResponseCode() == HttpURLConnection.HTTP_OK;
      try (InputStream body = alive ? connection.getInputStream() : connection.getErrorStream()) {
        return new Result(
            alive,
            body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8).strip());
      }
    } catch (IOException e) {
      return new Result(false, livenessUrl + " does not answer: " + e.getMessage());
    }
  }

  /** Who listens on all addresses is asked on loopback. */
  private static String connectableHost(String host) throws UnknownHostException {
    InetAddress address = InetAddress.getByName(host);
    String hostAddress =
        (address.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address).getHostAddress();
    return hostAddress.contains(":") ? "[" + hostAddress + "]" : hostAddress;
  }

  /**
   * What was found.
   *
   * @param alive whether the proxy answers that it is
   * @param reason its answer, or why there is none
   */
  public record Result(boolean alive, String message) {}
}
