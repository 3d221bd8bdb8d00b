// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.micrometer.core.instrument.MeterRegistry;
import io.retel.ariproxy.ari.http.AriHttpClient;
import io.retel.ariproxy.callcontext.store.CallContextStoreProvider;
import io.retel.ariproxy.callcontext.store.WriteBehind;
import io.retel.ariproxy.component.ahcws.AhcWsComponent;
import io.retel.ariproxy.component.ahcws.AhcWsConsumer;
import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.error.TlsErrors;
import io.retel.ariproxy.kafka.AckExecutor;
import io.retel.ariproxy.kafka.DeferredCommitFactory;
import io.retel.ariproxy.kafka.InFlightLimiter;
import io.retel.ariproxy.kafka.KafkaClientConfig;
import io.retel.ariproxy.kafka.KafkaSecurity;
import io.retel.ariproxy.kafka.KafkaSecuritySettings;
import io.retel.ariproxy.kafka.KafkaTopics;
import io.retel.ariproxy.kafka.ProxyKafkaClientFactory;
import io.retel.ariproxy.kafka.SecuredKafkaClientFactory;
import io.retel.ariproxy.logging.ExchangeExceptionHandler;
import io.retel.ariproxy.tls.PemFile;
import io.retel.ariproxy.tls.TrustStores;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.apache.camel.CamelContext;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.jsse.SSLContextParameters;

/** Clients for Asterisk, Kafka and the call-context store. */
public final class OutboundClients {

  private final CamelContext context;
  private final Settings settings;
  private final KafkaSecurity kafkaSecurity;
  private final KafkaTopics topics;
  private final WriteBehind store;
  private final ProxyKafkaClientFactory kafkaClients;
  private final InFlightLimiter inFlightLimiter;
  private final AhcWsComponent ws;
  private final AhcWsComponent wss;

  /** Creates the clients and binds the ones that routes reference by name; does not connect yet. */
  public OutboundClients(CamelContext context, Settings settings, MeterRegistry meters) {
    this.context = context;
    this.settings = settings;
    Registry registry = context.getRegistry();

    // Kafka
    this.kafkaSecurity = KafkaSecuritySettings.read(settings);
    this.topics =
        new KafkaTopics(
                this::kafkaClientConfig,
                settings.get(Setting.KAFKA_CREATE_TOPICS),
                settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT))
            .require(settings.topics());
    this.kafkaClients =
        new ProxyKafkaClientFactory(
            kafkaSecurity,
            Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime())
                .minus(settings.get(Setting.COMMANDS_INITIAL_LOOKBACK)),
            settings.get(Setting.COMMANDS_MAX_IN_FLIGHT),
            new CommandTimeouts(settings).drainTimeouts(),
            context::isStopping,
            meters);
    registry.bind("kafkaClients", kafkaClients);
    context
        .getComponent("kafka", KafkaComponent.class)
        .setKafkaClientFactory(new SecuredKafkaClientFactory(kafkaSecurity));
    registry.bind("deferredCommitFactory", new DeferredCommitFactory());
    AckExecutor ackExecutor = new AckExecutor(context);
    registry.bind("ackExecutor", ackExecutor);
    this.inFlightLimiter =
        new InFlightLimiter(
            settings.get(Setting.KAFKA_MAX_IN_FLIGHT_BYTES), ackExecutor::isCurrentThread);
    registry.bind("limitInFlight", inFlightLimiter);

    // the call-context store
    this.store =
        new WriteBehind(
            CallContextStoreProvider.of(settings).create(settings, this::kafkaClientConfig, topics),
            settings.get(Setting.CALLCONTEXT_STORE_TIMEOUT),
            meters);

    // Asterisk
    Optional<SSLContextParameters> ariTls =
        Optional.of(ariTrustedCertificates(settings))
            .filter(certificates -> !certificates.isEmpty())
            .map(TrustStores::trusting);
    registry.bind(
        "ariHttpClient",
        new AriHttpClient(
            settings.get(Setting.ARI_USERNAME),
            settings.get(Setting.ARI_PASSWORD),
            sslContext(context, ariTls.orElseGet(SSLContextParameters::new)),
            settings.get(Setting.COMMANDS_MAX_CONCURRENCY),
            settings.get(Setting.ARI_CONNECT_TIMEOUT).toMillis(),
            settings.get(Setting.ARI_RESPONSE_TIMEOUT).toMillis(),
            settings.ariPath(),
            meters));
    this.ws = websocket(context, "ahc-ws", settings, ariTls);
    this.wss = websocket(context, "ahc-wss", settings, ariTls);
  }

  /** Returns brokers and authentication for the proxy's own Kafka clients. */
  Map<String, Object> kafkaClientConfig() {
    return KafkaClientConfig.of(context, settings.get(Setting.KAFKA_BROKERS), kafkaSecurity);
  }

  KafkaTopics topics() {
    return topics;
  }

  WriteBehind store() {
    return store;
  }

  ProxyKafkaClientFactory kafkaClients() {
    return kafkaClients;
  }

  InFlightLimiter inFlightLimiter() {
    return inFlightLimiter;
  }

  /** Returns whether events can arrive. */
  boolean isConnected() {
    return ws.isConnected() || wss.isConnected();
  }

  /**
   * Returns the status of the websocket; while a reload changes its address, of both websockets.
   */
  List<WebSocketStatus> websocketStatuses() {
    return Stream.of(ws, wss).flatMap(component -> component.status().stream()).toList();
  }

  /** Makes the routes resync with Asterisk, as after a connect. */
  void requestResync() {
    Stream.of(ws, wss).forEach(AhcWsComponent::fireConnectedEvent);
  }

  /**
   * Closes the websocket and reopens it.
   *
   * @param reason the reason as a clause, for the log
   */
  void reconnect(String reason) {
    Stream.of(ws, wss).forEach(component -> component.reconnect(reason));
  }

  private static AhcWsComponent websocket(
      CamelContext context, String scheme, Settings settings, Optional<SSLContextParameters> tls) {
    AhcWsComponent component = context.getComponent(scheme, AhcWsComponent.class);
    component.setUsername(settings.get(Setting.ARI_USERNAME));
    component.setPassword(settings.get(Setting.ARI_PASSWORD).reveal());
    tls.ifPresent(component::setSslContextParameters);
    component.setTlsErrorDescriber(cause -> TlsErrors.describe(cause, Setting.ARI_CA_FILE.key()));
    component.setExceptionHandler(new ExchangeExceptionHandler(context, AhcWsConsumer.class));
    return component;
  }

  private static SSLContext sslContext(CamelContext context, SSLContextParameters tls) {
    try {
      return tls.createSSLContext(context);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The certificates to trust for ARI; empty for the JVM's.
   *
   * @throws InvalidSettingException if the file is unusable, or ARI's URL is not https
   */
  public static List<X509Certificate> ariTrustedCertificates(Settings settings) {
    if (!settings.isSet(Setting.ARI_CA_FILE)) {
      return List.of();
    }
    if (!settings.get(Setting.ARI_URL).getScheme().equals("https")) {
      throw new InvalidSettingException(Setting.ARI_CA_FILE, "requires an https ari.url");
    }
    return settings.get(Setting.ARI_CA_FILE, file -> new PemFile(Path.of(file)).certificates());
  }
}
