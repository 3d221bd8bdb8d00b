// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** Logins that are sent to another host without TLS, so that everybody on the way can read them. */
final class UnencryptedLogins {

  private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

  private UnencryptedLogins() {}

  /** Returns a line that names the settings and hosts, if any. Looks up no name. */
  static Optional<String> warning(Settings settings) {
    List<String> logins = new ArrayList<>();
    URI ari = settings.get(Setting.ARI_URL);
    if (ari.getScheme().equals("http")) {
      add(logins, Setting.ARI_URL.key(), List.of(ari.getRawAuthority()));
    }
    if (settings.get(Setting.KAFKA_SECURITY_PROTOCOL) == SecurityProtocol.SASL_PLAINTEXT) {
      add(
          logins,
          Setting.KAFKA_BROKERS.key(),
          Arrays.asList(settings.get(Setting.KAFKA_BROKERS).split(",")));
    }
    add(
        logins,
        Setting.CALLCONTEXT_STORE.key(),
        settings.get(Setting.CALLCONTEXT_STORE).unencryptedLogins(settings));
    return logins.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "Logins are sent without encryption: "
                + String.join(", ", logins)
                + "; use TLS, see docs/security.md");
  }

  private static void add(List<String> logins, String setting, List<String> servers) {
    String others =
        servers.stream()
            .map(String::strip)
            .filter(server -> !isThisHost(host(server)))
            .collect(Collectors.joining(" and "));
    if (!others.isEmpty()) {
      logins.add(setting + " to " + others);
    }
  }

  /** Returns the host of {@code host}, {@code host:port} or {@code [address]:port}. */
  private static String host(String server) {
    return server.startsWith("[")
        ? server.substring(1, Math.max(1, server.indexOf(']')))
        : server.replaceFirst(":\\d*$", "");
  }

  static boolean isThisHost(String host) {
    String name = host.toLowerCase(Locale.ROOT);
    if (name.equals("localhost") || name.endsWith(".localhost") || name.equals(ownName())) {
      return true;
    }
    // only these are parsed without a lookup
    if (!name.contains(":") && !name.matches("[\\d.]+")) {
      return false;
    }
    try {
      InetAddress address = InetAddress.getByName(name);
      return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
    } catch (IOException e) {
      return false;
    }
  }

  private static String ownName() {
    try {
      return Files.readString(HOST_NAME).strip().toLowerCase(Locale.ROOT);
    } catch (IOException e) {
      return "localhost";
    }
  }
}
