package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.tls.ClientCertificate;
import io.retel.ariproxy.tls.Pem;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.plain.PlainLoginModule;
import org.apache.kafka.common.security.scram.ScramLoginModule;

/**
 * How Kafka's clients encrypt and log in. Immutable; what is secret is of Kafka's type {@link
 * Password}, which shows itself nowhere.
 *
 * <p>It is given to each client when that is made, and is no option of Camel's component: no URI,
 * route dump or JMX attribute can have it.
 */
public final class KafkaSecurity {

  private static final String PEM = "PEM";

  private final Map<String, Object> options;

  private KafkaSecurity(Map<String, Object> options) {
    this.options = Map.copyOf(options);
  }

  /** What the options of Camel's component say, which is nothing unless somebody sets them. */
  public static KafkaSecurity none() {
    return new KafkaSecurity(Map.of());
  }

  /** With that protocol, the JVM's trusted CAs, and nothing to tell who the client is. */
  public static KafkaSecurity of(SecurityProtocol protocol) {
    return new KafkaSecurity(Map.of(CommonClientConfigs.SECURITY_PROTOCOL_CONFIG, protocol.name));
  }

  /**
   * The same with a login by name and password.
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
            new Password(jaas)));
  }

  /** The same with CAs, or very certificates, that alone are trusted. */
  public KafkaSecurity withTrustedCertificates(List<X509Certificate> trusted) {
    return with(
        Map.of(
            SslConfigs.SSL_TRUSTSTORE_TYPE_CONFIG,
            PEM,
            SslConfigs.SSL_TRUSTSTORE_CERTIFICATES_CONFIG,
            new Password(Pem.encode(trusted))));
  }

  /** The same with a certificate that tells who the client is. */
  public KafkaSecurity withClientCertificate(ClientCertificate certificate) {
    return with(
        Map.of(
            SslConfigs.SSL_KEYSTORE_TYPE_CONFIG,
            PEM,
            SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG,
            new Password(Pem.encode(certificate.chain())),
            SslConfigs.SSL_KEYSTORE_KEY_CONFIG,
            new Password(Pem.encode(certificate.key()))));
  }

  /** A client's options with these in them. */
  Properties applyTo(Properties clientConfig) {
    Properties secured = new Properties();
    secured.putAll(clientConfig);
    secured.putAll(options);
    return secured;
  }

  /** The options that have to do with it. */
  Map<String, Object> options() {
    return options;
  }

  private KafkaSecurity with(Map<String, Object> additional) {
    Map<String, Object> all = new HashMap<>(options);
    all.putAll(additional);
    return new KafkaSecurity(all);
  }

  /** As Kafka's reader of JAAS entries, a {@link java.io.StreamTokenizer}, takes a text. */
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
