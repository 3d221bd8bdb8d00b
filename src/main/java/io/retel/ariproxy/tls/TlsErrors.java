package io.retel.ariproxy.tls;

import io.netty.handler.ssl.NotSslRecordException;
import io.retel.ariproxy.ErrorMessages;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Optional;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.camel.util.ObjectHelper;

/** Says why a TLS connection failed and what can be done about it. */
public final class TlsErrors {

  /** What the JDK says then; it has no exception of its own for it. */
  private static final String PLAINTEXT_RESPONSE = "Unsupported or unrecognized SSL message";

  private TlsErrors() {}

  /**
   * What failed, to stand behind the name of the server and a colon.
   *
   * @param failure what was thrown
   * @param caFile the setting that names the CAs that are trusted
   * @return empty if TLS is not what failed
   */
  public static Optional<String> describe(Throwable failure, String caFileSetting) {
    if (hasCause(failure, CertificateExpiredException.class)) {
      return message("its certificate has expired (%s); it needs a new one", failure);
    }
    if (hasCause(failure, CertificateNotYetValidException.class)) {
      return message("its certificate is not valid yet (%s); compare the clocks", failure);
    }
    if (hasCause(failure, CertPathBuilderException.class)
        || hasCause(failure, CertPathValidatorException.class)) {
      return message(
          "its certificate comes from no CA that is trusted (%s); set "
              + caFileSetting
              + " to the file of that CA",
          failure);
    }
    if (hasCause(failure, CertificateException.class)
        || hasCause(failure, SSLPeerUnverifiedException.class)) {
      return message(
          "its certificate is not the one of that host (%s); use a name that is in it", failure);
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
