package io.retel.ariproxy.kafka;

import io.retel.ariproxy.ErrorMessages;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.tls.TlsErrors;
import java.util.regex.Pattern;
import org.apache.camel.util.ObjectHelper;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;

/** Says why Kafka does not tell what it is asked, and what can be done about it. */
public final class KafkaErrors {

  /** What a server says of a client's certificate, or of none where it wants one. */
  private static final Pattern CERTIFICATE_ALERT =
      Pattern.compile("Received fatal alert: \\w*(certificate|unknown_ca|access_denied)\\w*");

  private KafkaErrors() {}

  /** In a line, to stand behind the name of Kafka and a colon. */
  public static String describe(Throwable failure) {
    String rootCause = ErrorMessages.singleLine(failure);
    if (ObjectHelper.getException(SslAuthenticationException.class, failure) != null) {
      return CERTIFICATE_ALERT.matcher(rootCause).find()
          ? "it refuses the proxy's certificate, or that it has none (%s); check %s and %s"
              .formatted(
                  rootCause, Setting.KAFKA_CERTIFICATE_FILE.key(), Setting.KAFKA_KEY_FILE.key())
          : TlsErrors.describe(failure, Setting.KAFKA_CA_FILE.key()).orElse(rootCause);
    }
    if (ObjectHelper.getException(AuthenticationException.class, failure) != null) {
      return "%s; check %s, %s and %s"
          .formatted(
              rootCause,
              Setting.KAFKA_USERNAME.key(),
              Setting.KAFKA_PASSWORD.key(),
              Setting.KAFKA_SASL_MECHANISM.key());
    }
    if (ObjectHelper.getException(TimeoutException.class, failure) != null) {
      return "%s; check that it runs, and that %s is what its listener speaks"
          .formatted(rootCause, Setting.KAFKA_SECURITY_PROTOCOL.key());
    }
    return rootCause.replaceFirst("\\.$", "")
        + ". The proxy needs to reach it and the right to describe them";
  }
}
