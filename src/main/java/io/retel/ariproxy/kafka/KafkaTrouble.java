package io.retel.ariproxy.kafka;

import io.retel.ariproxy.RootCause;
import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.tls.TlsTrouble;
import java.util.regex.Pattern;
import org.apache.camel.util.ObjectHelper;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;

/** Says why Kafka does not tell what it is asked, and what can be done about it. */
public final class KafkaTrouble {

  /** What a server says of a client's certificate, or of none where it wants one. */
  private static final Pattern ABOUT_A_CERTIFICATE =
      Pattern.compile("Received fatal alert: \\w*(certificate|unknown_ca|access_denied)\\w*");

  private KafkaTrouble() {}

  /** In a line, to stand behind the name of Kafka and a colon. */
  public static String inOneLine(Throwable failure) {
    String bottom = RootCause.inOneLine(failure);
    if (ObjectHelper.getException(SslAuthenticationException.class, failure) != null) {
      return ABOUT_A_CERTIFICATE.matcher(bottom).find()
          ? "it refuses the proxy's certificate, or that it has none (%s); check %s and %s"
              .formatted(bottom, Setting.KAFKA_CERTIFICATE_FILE.key(), Setting.KAFKA_KEY_FILE.key())
          : TlsTrouble.of(failure, Setting.KAFKA_CA_FILE.key()).orElse(bottom);
    }
    if (ObjectHelper.getException(AuthenticationException.class, failure) != null) {
      return "%s; check %s, %s and %s"
          .formatted(
              bottom,
              Setting.KAFKA_USERNAME.key(),
              Setting.KAFKA_PASSWORD.key(),
              Setting.KAFKA_SASL_MECHANISM.key());
    }
    if (ObjectHelper.getException(TimeoutException.class, failure) != null) {
      return "%s; check that it runs, and that %s is what its listener speaks"
          .formatted(bottom, Setting.KAFKA_SECURITY_PROTOCOL.key());
    }
    return bottom.replaceFirst("\\.$", "")
        + ". The proxy needs to reach it and the right to describe them";
  }
}
