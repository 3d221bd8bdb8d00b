// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.tls.ClientCertificate;
import io.retel.ariproxy.tls.Pem;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Supplier;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.plain.PlainLoginModule;
import org.apache.kafka.common.security.scram.ScramLoginModule;

/**
 * Encryption and authentication of Kafka clients. Certificates, keys and the password are those of
 * the files as they are when a client connects.
 *
 * <p>Secrets have Kafka's type {@link Password}, which hides its value in logs. The options are
 * passed to each client when it is created and are not options of Camel's component, so no URI,
 * route dump or JMX attribute can expose them.
 */
public final class KafkaSecurity {

  private static final String PEM = "PEM";

  private final Map<String, Object> options;
  private final List<Supplier<Map<String, Object>>> tlsOptions;

  private KafkaSecurity(
      Map<String, Object> options, List<Supplier<Map<String, Object>>> tlsOptions) {
    this.options = Map.copyOf(options);
    this.tlsOptions = List.copyOf(tlsOptions);
  }

  /** Adds no options; the clients use the options of Camel's component, if any. */
  public static KafkaSecurity none() {
    return new KafkaSecurity(Map.of(), List.of());
  }

  /** Uses the protocol with the JVM's trusted CAs and without client authentication. */
  public static KafkaSecurity of(SecurityProtocol protocol) {
    return new KafkaSecurity(
        Map.of(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, protocol.name), List.of());
  }

  /**
   * Returns a copy with a SASL login.
   *
   * @param mechanism PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
   */
  public KafkaSecurity withCredentials(String mechanism, String username, Secret password) {
    Class<?> module = mechanism.equals("PLAIN") ? PlainLoginModule.class : ScramLoginModule.class;
    String jaas =
        "%s required username=%s password=%s;"
            .formatted(module.getName(), quote(username), quote(password.reveal()));
    return with(
        Map.of(
            SaslConfigs.SASL_MECHANISM,
            mechanism,
            SaslConfigs.SASL_JAAS_CONFIG,
            new Password(jaas),
            SaslConfigs.SASL_CLIENT_CALLBACK_HANDLER_CLASS,
            SaslLogin.class,
            SaslLogin.CREDENTIALS,
            new SaslLogin.Credentials(username, password)));
  }

  /** Returns a copy that trusts only these CAs or server certificates. */
  public KafkaSecurity withTrustedCertificates(Supplier<List<X509Certificate>> trusted) {
    return withTlsOptions(
        () ->
            Map.of(
                SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG,
                PEM,
                SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG,
                new Password(Pem.encode(trusted.get()))));
  }

  /** Returns a copy that authenticates with a client certificate. */
  public KafkaSecurity withClientCertificate(Supplier<ClientCertificate> certificate) {
    return withTlsOptions(
        () -> {
          ClientCertificate current = certificate.get();
          return Map.of(
              SslConfigs.SSL_KEYSTORE_TYPE_CONFIG,
              PEM,
              SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG,
              new Password(Pem.encode(current.chain())),
              SslConfigs.SSL_KEYSTORE_KEY_CONFIG,
              new Password(Pem.encode(current.key())));
        });
  }

  /** Returns a copy of the client's options with these added. */
  Properties applyTo(Properties clientConfig) {
    Properties secured = new Properties();
    secured.putAll(clientConfig);
    secured.putAll(options());
    return secured;
  }

  /** The security options of a new client. */
  Map<String, Object> options() {
    if (tlsOptions.isEmpty()) {
      return options;
    }
    Map<String, Object> all = new HashMap<>(options);
    all.putAll(currentTlsOptions());
    all.put(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG, ReloadedSslEngineFactory.class);
    all.put(
        ReloadedSslEngineFactory.TLS_OPTIONS,
        (ReloadedSslEngineFactory.TlsOptions) this::currentTlsOptions);
    return all;
  }

  private Map<String, Object> currentTlsOptions() {
    Map<String, Object> current = new HashMap<>();
    tlsOptions.forEach(each -> current.putAll(each.get()));
    return current;
  }

  private KafkaSecurity withTlsOptions(Supplier<Map<String, Object>> additional) {
    List<Supplier<Map<String, Object>>> all = new ArrayList<>(tlsOptions);
    all.add(additional);
    return new KafkaSecurity(options, all);
  }

  private KafkaSecurity with(Map<String, Object> additional) {
    Map<String, Object> all = new HashMap<>(options);
    all.putAll(additional);
    return new KafkaSecurity(all, tlsOptions);
  }

  /** Quotes a text for Kafka's JAAS parser, a {@link java.io.StreamTokenizer}. */
  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    text.chars()
        .forEach(
            character -> {
              if (character == '"' || character == '\\') {
                quoted.append('\\').append((char) character);
              } else if (character < ' ') {
                quoted.append("\\%03o".formatted(character));
              } else {
                quoted.append((char) character);
              }
            });
    return quoted.append('"').toString();
  }
}
