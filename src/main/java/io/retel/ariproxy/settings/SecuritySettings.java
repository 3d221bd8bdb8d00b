package io.retel.ariproxy.settings;

import io.retel.ariproxy.kafka.KafkaSecurity;
import io.retel.ariproxy.tls.ClientCertificate;
import io.retel.ariproxy.tls.PemException;
import io.retel.ariproxy.tls.PemFile;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** What the settings say about encryption and Kafka's login, checked. */
record SecuritySettings(Settings settings) {

  private static final Set<String> SASL_MECHANISMS =
      Set.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512");

  private static final List<Setting> SASL_SETTINGS =
      List.of(Setting.KAFKA_USERNAME, Setting.KAFKA_PASSWORD);
  private static final List<Setting> TLS_SETTINGS =
      List.of(
          Setting.KAFKA_CA_FILE,
          Setting.KAFKA_CERTIFICATE_FILE,
          Setting.KAFKA_KEY_FILE,
          Setting.KAFKA_KEY_PASSWORD);

  /**
   * Whose certificates are trusted for ARI; empty for those that the JVM trusts.
   *
   * @throws InvalidSettingException if the file does not have any, or ARI's url is not encrypted
   */
  List<X509Certificate> ariTrustedCertificates() {
    if (!isSet(Setting.ARI_CA_FILE)) {
      return List.of();
    }
    if (!settings.get(Setting.ARI_URL).toLowerCase(Locale.ROOT).startsWith("https:")) {
      throw new InvalidSettingException(
          Setting.ARI_CA_FILE, "is for an ari.url that begins with https");
    }
    return certificates(Setting.ARI_CA_FILE);
  }

  /**
   * How Kafka's clients encrypt and log in.
   *
   * @throws InvalidSettingException if something is missing, does not fit, or would have no effect
   */
  KafkaSecurity kafkaSecurity() {
    SecurityProtocol protocol = protocol();
    boolean usesSasl =
        protocol == SecurityProtocol.SASL_SSL || protocol == SecurityProtocol.SASL_PLAINTEXT;
    boolean usesTls = protocol == SecurityProtocol.SASL_SSL || protocol == SecurityProtocol.SSL;
    if (!usesSasl) {
      rejectIfSet(SASL_SETTINGS, "is for kafka.security-protocol SASL_SSL or SASL_PLAINTEXT");
    }
    if (!usesTls) {
      rejectIfSet(TLS_SETTINGS, "is for kafka.security-protocol SSL or SASL_SSL");
    }
    if (protocol == SecurityProtocol.PLAINTEXT) {
      return KafkaSecurity.none();
    }
    KafkaSecurity security = KafkaSecurity.of(protocol);
    if (usesSasl) {
      SASL_SETTINGS.forEach(
          setting -> requireSet(setting, "is not set, and " + protocol + " needs it"));
      security =
          security.withCredentials(
              mechanism(),
              settings.get(Setting.KAFKA_USERNAME),
              settings.secret(Setting.KAFKA_PASSWORD));
    }
    if (isSet(Setting.KAFKA_CA_FILE)) {
      security = security.withTrustedCertificates(certificates(Setting.KAFKA_CA_FILE));
    }
    if (isSet(Setting.KAFKA_CERTIFICATE_FILE)) {
      return security.withClientCertificate(clientCertificate());
    }
    rejectIfSet(
        List.of(Setting.KAFKA_KEY_FILE, Setting.KAFKA_KEY_PASSWORD),
        "is set, and kafka.certificate-file is not");
    return security;
  }

  private ClientCertificate clientCertificate() {
    requireSet(Setting.KAFKA_KEY_FILE, "is not set, and kafka.certificate-file is");
    List<X509Certificate> chain = certificates(Setting.KAFKA_CERTIFICATE_FILE);
    ClientCertificate certificate;
    try {
      certificate =
          new ClientCertificate(
              chain,
              pemFile(Setting.KAFKA_KEY_FILE)
                  .privateKey(settings.secret(Setting.KAFKA_KEY_PASSWORD)));
    } catch (PemException e) {
      throw new InvalidSettingException(Setting.KAFKA_KEY_FILE, e.getMessage());
    }
    if (!certificate.keyMatchesCertificate()) {
      throw new InvalidSettingException(
          Setting.KAFKA_KEY_FILE,
          "names "
              + settings.get(Setting.KAFKA_KEY_FILE)
              + ", which has another key than that of the first certificate in "
              + settings.get(Setting.KAFKA_CERTIFICATE_FILE));
    }
    return certificate;
  }

  private SecurityProtocol protocol() {
    try {
      return SecurityProtocol.valueOf(
          settings.get(Setting.KAFKA_SECURITY_PROTOCOL).toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      throw new InvalidSettingException(
          Setting.KAFKA_SECURITY_PROTOCOL, "must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL");
    }
  }

  private String mechanism() {
    String mechanism = settings.get(Setting.KAFKA_SASL_MECHANISM).toUpperCase(Locale.ROOT);
    if (!SASL_MECHANISMS.contains(mechanism)) {
      throw new InvalidSettingException(
          Setting.KAFKA_SASL_MECHANISM, "must be SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN");
    }
    return mechanism;
  }

  private List<X509Certificate> certificates(Setting setting) {
    try {
      return pemFile(setting).certificates();
    } catch (PemException e) {
      throw new InvalidSettingException(setting, e.getMessage());
    }
  }

  private PemFile pemFile(Setting setting) {
    try {
      return new PemFile(Path.of(settings.get(setting)));
    } catch (InvalidPathException e) {
      throw new InvalidSettingException(setting, "is no name of a file");
    }
  }

  private void requireSet(Setting setting, String problem) {
    if (!isSet(setting)) {
      throw new InvalidSettingException(setting, problem);
    }
  }

  private void rejectIfSet(List<Setting> inapplicable, String problem) {
    for (Setting setting : inapplicable) {
      if (isSet(setting)) {
        throw new InvalidSettingException(setting, problem);
      }
    }
  }

  private boolean isSet(Setting setting) {
    String value = setting.isSecret() ? settings.secret(setting).reveal() : settings.get(setting);
    return !value.isEmpty();
  }
}
