package io.retel.ariproxy.management;

import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.settings.Settings;
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
public final class HealthQuestion {

  private static final String LIVENESS = "/observe/health/live";

  /** For the connect and for the answer, each. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private HealthQuestion() {}

  /**
   * Asks, for twice {@link #PATIENCE} at the longest.
   *
   * @param settings those of the proxy that is asked
   * @return whether it is, and how that is known
   */
  public static Answer ask(Settings settings) {
    if (!ManagementPort.isWanted(settings)) {
      return new Answer(false, "management.port is 0: there is nothing to ask");
    }
    URI liveness;
    try {
      liveness =
          URI.create(
              "http://%s:%d%s"
                  .formatted(
                      reachable(settings.get(Setting.MANAGEMENT_HOST)),
                      settings.number(Setting.MANAGEMENT_PORT),
                      LIVENESS));
    } catch (UnknownHostException e) {
      return new Answer(false, "management.host is not known: " + e.getMessage());
    }
    try {
      HttpURLConnection connection = (HttpURLConnection) liveness.toURL().openConnection();
      connection.setConnectTimeout((int) PATIENCE.toMillis());
      connection.setReadTimeout((int) PATIENCE.toMillis());
      boolean alive = connection.getResponseCode() == HttpURLConnection.HTTP_OK;
      try (InputStream body = alive ? connection.getInputStream() : connection.getErrorStream()) {
        return new Answer(
            alive,
            body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8).strip());
      }
    } catch (IOException e) {
      return new Answer(false, liveness + " does not answer: " + e.getMessage());
    }
  }

  /** Who listens on all addresses is asked on loopback. */
  private static String reachable(String host) throws UnknownHostException {
    InetAddress address = InetAddress.getByName(host);
    String known =
        (address.isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address).getHostAddress();
    return known.contains(":") ? "[" + known + "]" : known;
  }

  /**
   * What was found.
   *
   * @param alive whether the proxy answers that it is
   * @param reason its answer, or why there is none
   */
  public record Answer(boolean alive, String reason) {}
}
