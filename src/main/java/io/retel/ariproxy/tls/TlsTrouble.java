package io.retel.ariproxy.tls;

import io.netty.handler.ssl.NotSslRecordException;
import io.retel.ariproxy.RootCause;
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
public final class TlsTrouble {

  /** What the JDK says then; it has no exception of its own for it. */
  private static final String NO_TLS_AT_ALL = "Unsupported or unrecognized SSL message";

  private TlsTrouble() {}

  /**
   * What failed, to stand behind the name of the server and a colon.
   *
   * @param failure what was thrown
   * @param caFile the setting that names the CAs that are trusted
   * @return empty if TLS is not what failed
   */
  public static Optional<String> of(Throwable failure, String caFile) {
    if (has(failure, CertificateExpiredException.class)) {
      return said("its certificate has expired (%s); it needs a new one", failure);
    }
    if (has(failure, CertificateNotYetValidException.class)) {
      return said("its certificate is not valid yet (%s); compare the clocks", failure);
    }
    if (has(failure, CertPathBuilderException.class)
        || has(failure, CertPathValidatorException.class)) {
      return said(
          "its certificate comes from no CA that is trusted (%s); set "
              + caFile
              + " to the file of that CA",
          failure);
    }
    if (has(failure, CertificateException.class)
        || has(failure, SSLPeerUnverifiedException.class)) {
      return said(
          "its certificate is not the one of that host (%s); use a name that is in it", failure);
    }
    if (has(failure, NotSslRecordException.class)
        || RootCause.inOneLine(failure).equals(NO_TLS_AT_ALL)) {
      return Optional.of("the server does not speak TLS");
    }
    if (has(failure, SSLException.class)) {
      return said("%s", failure);
    }
    return Optional.empty();
  }

  private static boolean has(Throwable failure, Class<? extends Throwable> kind) {
    return ObjectHelper.getException(kind, failure) != null;
  }

  private static Optional<String> said(String sentence, Throwable failure) {
    return Optional.of(sentence.formatted(RootCause.inOneLine(failure)));
  }
}
