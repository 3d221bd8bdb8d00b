// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.ReloadedFiles;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Certificates and keys of the PEM files that settings name, as the files are now. */
public final class CertificateSettings {

  private CertificateSettings() {}

  /**
   * Returns the certificates to trust; none, for the JVM's, if the setting is empty.
   *
   * @throws InvalidSettingException if the file is unusable
   */
  public static Supplier<List<X509Certificate>> trusted(Settings settings, Setting<String> caFile) {
    if (!settings.isSet(caFile)) {
      return List::of;
    }
    Path file = settings.get(caFile, Path::of);
    return ReloadedFiles.read(caFile.key(), List.of(file), () -> certificates(settings, caFile));
  }

  /**
   * Returns the client certificate, if its setting is not empty.
   *
   * @throws InvalidSettingException if a file is missing or unusable, the key does not match, or is
   *     set without a certificate
   */
  public static Optional<Supplier<ClientCertificate>> client(
      Settings settings,
      Setting<String> certificateFile,
      Setting<String> keyFile,
      Setting<Secret> keyPassword) {
    if (!settings.isSet(certificateFile)) {
      for (Setting<?> setting : List.of(keyFile, keyPassword)) {
        if (settings.isSet(setting)) {
          throw new InvalidSettingException(
              setting, "is set, but " + certificateFile.key() + " is not");
        }
      }
      return Optional.empty();
    }
    if (!settings.isSet(keyFile)) {
      throw new InvalidSettingException(
          keyFile, "is not set, but " + certificateFile.key() + " is");
    }
    List<Path> files = new ArrayList<>();
    files.add(settings.get(certificateFile, Path::of));
    files.add(settings.get(keyFile, Path::of));
    settings.get(keyPassword).file().ifPresent(files::add);
    return Optional.of(
        ReloadedFiles.read(
            certificateFile.key(),
            files,
            () -> readClient(settings, certificateFile, keyFile, keyPassword)));
  }

  private static ClientCertificate readClient(
      Settings settings,
      Setting<String> certificateFile,
      Setting<String> keyFile,
      Setting<Secret> keyPassword) {
    List<X509Certificate> chain = certificates(settings, certificateFile);
    String password = settings.get(keyPassword).reveal();
    ClientCertificate certificate =
        settings.read(
            keyFile, path -> new ClientCertificate(chain, new PemFile(path).privateKey(password)));
    if (!certificate.keyMatchesCertificate()) {
      throw new InvalidSettingException(
          keyFile,
          "names "
              + settings.get(keyFile)
              + ", whose key does not match the first certificate in "
              + settings.get(certificateFile));
    }
    return certificate;
  }

  private static List<X509Certificate> certificates(Settings settings, Setting<String> setting) {
    return settings.read(setting, path -> new PemFile(path).certificates());
  }
}
