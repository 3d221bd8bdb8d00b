// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.error;

import io.netty.handler.ssl.NotSslRecordException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.util.ObjectHelper;

/** Error messages for failed TLS connections: the cause and its remedy. */
public final class TlsErrors {

  /** Message of the JDK in that case, for which it has no exception class. */
  private static final String PLAINTEXT_RESPONSE = "Unsupported or unrecognized SSL message";

  /** Alerts for a rejected or missing client certificate. */
  private static final Pattern CERTIFICATE_ALERT =
      Pattern.compile("Received fatal alert: \\w*(certificate|unknown_ca|access_denied)\\w*");

  private TlsErrors() {}

  /** Whether the server rejects the client's certificate, or requires one. */
  public static boolean isClientRejected(Throwable failure) {
    return CERTIFICATE_ALERT.matcher(ErrorMessages.singleLine(failure)).find();
  }

  /**
   * Returns the cause, to be appended to the server's name and a colon.
   *
   * @param failure the exception
   * @param caFileSetting key of the setting with the trusted CAs
   * @return empty if the failure is not about TLS
   */
  public static Optional<String> describe(Throwable failure, String caFileSetting) {
    if (hasCause(failure, CertificateExpiredException.class)) {
      return message("its certificate has expired (%s); renew it", failure);
    }
    if (hasCause(failure, CertificateNotYetValidException.class)) {
      return message("its certificate is not yet valid (%s); check the clocks", failure);
    }
    if (hasCause(failure, CertPathBuilderException.class)
        || hasCause(failure, CertPathValidatorException.class)) {
      return message(
          "its certificate is not signed by a trusted CA (%s); set "
              + caFileSetting
              + " to the file of that CA",
          failure);
    }
    if (hasCause(failure, CertificateException.class)
        || hasCause(failure, SSLPeerUnverifiedException.class)) {
      return message(
          "its certificate does not match the host name (%s); use a name from the " + "certificate",
          failure);
    }
    if (hasCause(failure, NotSslRecordException.class)
        || ErrorMessages.singleLine(failure).equals(PLAINTEXT_RESPONSE)) {
      return Optional.of("the server does not speak TLS");
    }
    if (hasCause(failure, SSLException.class)) {
      return message("%s", failure);
    }
    return Optional.empty();
  }

  private static boolean hasCause(Throwable failure, Class<? extends Throwable> type) {
    return ObjectHelper.getException(type, failure) != null;
  }

  private static Optional<String> message(String format, Throwable failure) {
    return Optional.of(format.formatted(ErrorMessages.singleLine(failure)));
  }
}
