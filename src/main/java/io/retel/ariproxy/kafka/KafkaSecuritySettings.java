// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.tls.CertificateSettings;
import io.retel.ariproxy.tls.PemFile;
import java.util.List;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** Reads {@link KafkaSecurity} from the settings, with the files that they name. */
public final class KafkaSecuritySettings {

  private static final List<Setting<?>> SASL_SETTINGS =
      List.of(Setting.KAFKA_USERNAME, Setting.KAFKA_PASSWORD);
  private static final List<Setting<?>> TLS_SETTINGS =
      List.of(
          Setting.KAFKA_CA_FILE,
          Setting.KAFKA_CERTIFICATE_FILE,
          Setting.KAFKA_KEY_FILE,
          Setting.KAFKA_KEY_PASSWORD);

  private final Settings settings;

  private KafkaSecuritySettings(Settings settings) {
    this.settings = settings;
  }

  /**
   * Encryption and authentication of Kafka's clients.
   *
   * @throws InvalidSettingException if a setting is missing, contradicts another setting or has no
   *     effect, or if a file is unusable
   */
  public static KafkaSecurity read(Settings settings) {
    return new KafkaSecuritySettings(settings).read();
  }

  /**
   * Returns the proxy's name in Kafka's ACLs, unless the broker maps it to another one. It follows
   * the file of the certificate.
   */
  public static String principal(Settings settings) {
    if (settings.isSet(Setting.KAFKA_USERNAME)) {
      return "User:" + settings.get(Setting.KAFKA_USERNAME);
    }
    if (settings.isSet(Setting.KAFKA_CERTIFICATE_FILE)) {
      try {
        return "User:"
            + settings
                .read(Setting.KAFKA_CERTIFICATE_FILE, path -> new PemFile(path).certificates())
                .get(0)
                .getSubjectX500Principal()
                .getName();
      } catch (InvalidSettingException e) {
        // the file is being replaced; the previous certificate remains in use
        return "the proxy";
      }
    }
    return "the proxy";
  }

  private KafkaSecurity read() {
    SecurityProtocol protocol = settings.get(Setting.KAFKA_SECURITY_PROTOCOL);
    boolean sasl =
        protocol == SecurityProtocol.SASL_SSL || protocol == SecurityProtocol.SASL_PLAINTEXT;
    boolean tls = protocol == SecurityProtocol.SASL_SSL || protocol == SecurityProtocol.SSL;
    if (!sasl) {
      rejectIfSet(SASL_SETTINGS, "requires kafka.security-protocol SASL_SSL or SASL_PLAINTEXT");
    }
    if (!tls) {
      rejectIfSet(TLS_SETTINGS, "requires kafka.security-protocol SSL or SASL_SSL");
    }
    if (protocol == SecurityProtocol.PLAINTEXT) {
      return KafkaSecurity.none();
    }
    KafkaSecurity security = KafkaSecurity.of(protocol);
    if (sasl) {
      SASL_SETTINGS.forEach(
          setting -> requireSet(setting, "is not set, but " + protocol + " requires it"));
      security =
          security.withCredentials(
              settings.get(Setting.KAFKA_SASL_MECHANISM),
              settings.get(Setting.KAFKA_USERNAME),
              settings.get(Setting.KAFKA_PASSWORD));
    }
    if (settings.isSet(Setting.KAFKA_CA_FILE)) {
      security =
          security.withTrustedCertificates(
              CertificateSettings.trusted(settings, Setting.KAFKA_CA_FILE));
    }
    return CertificateSettings.client(
            settings,
            Setting.KAFKA_CERTIFICATE_FILE,
            Setting.KAFKA_KEY_FILE,
            Setting.KAFKA_KEY_PASSWORD)
        .map(security::withClientCertificate)
        .orElse(security);
  }

  private void requireSet(Setting<?> setting, String problem) {
    if (!settings.isSet(setting)) {
      throw new InvalidSettingException(setting, problem);
    }
  }

  private void rejectIfSet(List<Setting<?>> unused, String problem) {
    for (Setting<?> setting : unused) {
      if (settings.isSet(setting)) {
        throw new InvalidSettingException(setting, problem);
      }
    }
  }
}
