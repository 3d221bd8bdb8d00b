// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.ReloadedFiles;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.tls.ClientCertificate;
import io.retel.ariproxy.tls.PemFile;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
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
      security = security.withTrustedCertificates(certificates(Setting.KAFKA_CA_FILE));
    }
    if (settings.isSet(Setting.KAFKA_CERTIFICATE_FILE)) {
      return security.withClientCertificate(clientCertificate());
    }
    rejectIfSet(
        List.of(Setting.KAFKA_KEY_FILE, Setting.KAFKA_KEY_PASSWORD),
        "is set, but kafka.certificate-file is not");
    return security;
  }

  private Supplier<ClientCertificate> clientCertificate() {
    requireSet(Setting.KAFKA_KEY_FILE, "is not set, but kafka.certificate-file is");
    List<Path> files = new ArrayList<>();
    files.add(settings.get(Setting.KAFKA_CERTIFICATE_FILE, Path::of));
    files.add(settings.get(Setting.KAFKA_KEY_FILE, Path::of));
    settings.get(Setting.KAFKA_KEY_PASSWORD).file().ifPresent(files::add);
    return ReloadedFiles.read(
        Setting.KAFKA_CERTIFICATE_FILE.key(), files, this::readClientCertificate);
  }

  private ClientCertificate readClientCertificate() {
    List<X509Certificate> chain = readCertificates(Setting.KAFKA_CERTIFICATE_FILE);
    String keyPassword = settings.get(Setting.KAFKA_KEY_PASSWORD).reveal();
    ClientCertificate certificate =
        settings.read(
            Setting.KAFKA_KEY_FILE,
            path -> new ClientCertificate(chain, new PemFile(path).privateKey(keyPassword)));
    if (!certificate.keyMatchesCertificate()) {
      throw new InvalidSettingException(
          Setting.KAFKA_KEY_FILE,
          "names "
              + settings.get(Setting.KAFKA_KEY_FILE)
              + ", whose key does not match the first certificate in "
              + settings.get(Setting.KAFKA_CERTIFICATE_FILE));
    }
    return certificate;
  }

  private Supplier<List<X509Certificate>> certificates(Setting<String> setting) {
    Path file = settings.get(setting, Path::of);
    return ReloadedFiles.read(setting.key(), List.of(file), () -> readCertificates(setting));
  }

  private List<X509Certificate> readCertificates(Setting<String> setting) {
    return settings.read(setting, path -> new PemFile(path).certificates());
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
