// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.TlsErrors;
import java.io.IOException;
import java.net.URI;

/** Check that ARI responds: {@code GET /asterisk/ping}. */
public final class AsteriskProbe implements Probe.Check, AutoCloseable {

  private final AriClient client;
  private final URI url;

  /**
   * @param url ARI's base URL
   */
  public AsteriskProbe(AriClient client, URI url) {
    this.client = client;
    this.url = url;
  }

  @Override
  public void run() {
    int status;
    try {
      status = client.send("GET", "/asterisk/ping", null).status();
    } catch (IOException e) {
      throw new IllegalStateException(
          "ARI at "
              + url
              + " failed a ping: "
              + TlsErrors.describe(e, Setting.ARI_CA_FILE.key())
                  .orElseGet(() -> ErrorMessages.ownMessage(e)));
    }
    if (status != 200) {
      throw new IllegalStateException(
          "ARI at " + url + " responded to a ping with " + status + "; " + remedy(status));
    }
  }

  private static String remedy(int status) {
    return switch (status) {
      case 403 -> "check the permissions of the user in ari.conf";
      case 404 -> "check ari.url, and that ari.conf has enabled = yes";
      default -> "check Asterisk's log";
    };
  }

  @Override
  public void close() {
    client.close();
  }
}
