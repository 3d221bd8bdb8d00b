// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.Setting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Utils;

/**
 * Asks bootstrap brokers for their versions, without TLS, to find those that answer in another
 * protocol.
 *
 * <p>Kafka's clients take the first four bytes of a response as its size, and allocate it at once:
 * 352 MB for a TLS alert, 1.2 GB for "HTTP" (seen on 4.1.2). In a small heap, that ends the process
 * without a hint at the setting that is wrong.
 */
final class PlaintextListenerCheck {

  /** For all brokers together; the clients have their own timeouts for one that does not answer. */
  static final Duration TIMEOUT = Duration.ofSeconds(2);

  /** A request for a broker's versions has a response of less than 1 KB. */
  private static final int MAX_RESPONSE_SIZE = 1 << 20;

  private static final int SIZE_BYTES = Integer.BYTES;

  /** Line ends, since a server of a line-based protocol answers a line. */
  private static final int CORRELATION_ID = 0x0d0a0d0a;

  private static final byte[] CLIENT_ID = "ari-proxy".getBytes(StandardCharsets.US_ASCII);

  private static final List<String> UNENCRYPTED =
      List.of(SecurityProtocol.PLAINTEXT.name, SecurityProtocol.SASL_PLAINTEXT.name);

  private static final int TLS_ALERT = 21;
  private static final int TLS_HANDSHAKE = 22;
  private static final int TLS_MAJOR_VERSION = 3;

  private PlaintextListenerCheck() {}

  /**
   * Returns the first bootstrap broker that does not speak Kafka's protocol, and what it answers,
   * to be appended to "Kafka" and a colon. Empty if all do, do not answer, or require TLS by the
   * options. Blocks at most for the timeout, and while a name is resolved.
   *
   * @param clientConfig options of a Kafka client
   */
  static Optional<String> problem(Map<String, Object> clientConfig, Duration timeout) {
    Object protocol =
        clientConfig.getOrDefault(
            CommonClientConfigs.SECURITY_PROTOCOL_CONFIG,
            CommonClientConfigs.DEFAULT_SECURITY_PROTOCOL);
    if (!UNENCRYPTED.contains(protocol.toString().toUpperCase(Locale.ROOT))) {
      return Optional.empty();
    }
    String brokers = String.valueOf(clientConfig.get(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG));
    Map<String, List<InetSocketAddress>> addresses = new LinkedHashMap<>();
    for (String broker : brokers.split(",")) {
      addresses.put(broker.strip(), resolve(broker.strip()));
    }
    int count = addresses.values().stream().mapToInt(List::size).sum();
    Duration share = timeout.dividedBy(Math.max(1, count));
    return addresses.entrySet().stream()
        .flatMap(broker -> problem(broker.getKey(), broker.getValue(), share).stream())
        .findFirst();
  }

  /** Returns no addresses of an unknown name, which Kafka's client reports. */
  private static List<InetSocketAddress> resolve(String broker) {
    String host = Utils.getHost(broker);
    Integer port = Utils.getPort(broker);
    if (host == null || port == null) {
      return List.of();
    }
    try {
      InetAddress[] all = InetAddress.getAllByName(host);
      return Arrays.stream(all)
          // as Kafka's client, which ignores the other family
          .filter(address -> address.getClass() == all[0].getClass())
          .map(address -> new InetSocketAddress(address, port))
          .toList();
    } catch (UnknownHostException e) {
      return List.of();
    }
  }

  /** Asks the addresses of a name until one answers, as Kafka's client does. */
  private static Optional<String> problem(
      String broker, List<InetSocketAddress> addresses, Duration timeout) {
    for (InetSocketAddress address : addresses) {
      Optional<byte[]> answer = answer(address, System.nanoTime() + timeout.toNanos());
      if (answer.isPresent()) {
        String name =
            addresses.size() == 1
                ? broker
                : "%s (%s)".formatted(broker, address.getAddress().getHostAddress());
        return answer.filter(start -> !isKafka(start)).map(start -> describe(name, start));
      }
    }
    return Optional.empty();
  }

  /** Returns the first bytes that the server answers, if it does in time. */
  private static Optional<byte[]> answer(InetSocketAddress address, long deadlineNanos) {
    try (Socket socket = new Socket()) {
      socket.connect(address, remainingMillis(deadlineNanos));
      socket.getOutputStream().write(versionsRequest());
      byte[] start = new byte[SIZE_BYTES];
      for (int i = 0; i < SIZE_BYTES; i++) {
        socket.setSoTimeout(remainingMillis(deadlineNanos));
        int next = socket.getInputStream().read();
        if (next < 0) {
          return Optional.empty();
        }
        start[i] = (byte) next;
      }
      return Optional.of(start);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** At least one: zero would be no limit. */
  private static int remainingMillis(long deadlineNanos) {
    long remaining = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
    return Math.toIntExact(Math.max(1, remaining));
  }

  /**
   * A request for the versions that a broker supports, which each answers before a login.
   *
   * @see <a href="https://kafka.apache.org/protocol">Kafka's protocol</a>
   */
  private static byte[] versionsRequest() {
    int size = 2 * Short.BYTES + Integer.BYTES + Short.BYTES + CLIENT_ID.length;
    return ByteBuffer.allocate(SIZE_BYTES + size)
        .putInt(size)
        .putShort(ApiKeys.API_VERSIONS.id)
        .putShort((short) 0)
        .putInt(CORRELATION_ID)
        .putShort((short) CLIENT_ID.length)
        .put(CLIENT_ID)
        .array();
  }

  private static boolean isKafka(byte[] start) {
    int size = ByteBuffer.wrap(start).getInt();
    return size >= Integer.BYTES && size <= MAX_RESPONSE_SIZE;
  }

  private static String describe(String broker, byte[] start) {
    if ((start[0] == TLS_ALERT || start[0] == TLS_HANDSHAKE) && start[1] == TLS_MAJOR_VERSION) {
      return "%s requires TLS; set %s to SSL or SASL_SSL"
          .formatted(broker, Setting.KAFKA_SECURITY_PROTOCOL.key());
    }
    return "%s is not a listener of Kafka: its answer starts with %s; check %s"
        .formatted(broker, readable(start), Setting.KAFKA_BROKERS.key());
  }

  private static String readable(byte[] start) {
    String text = new String(start, StandardCharsets.US_ASCII);
    return text.chars().allMatch(character -> character > ' ' && character < 0x7f)
        ? '"' + text + '"'
        : HexFormat.ofDelimiter(" ").formatHex(start);
  }
}
