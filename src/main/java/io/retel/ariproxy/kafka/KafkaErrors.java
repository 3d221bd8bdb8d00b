// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.TlsErrors;
import org.apache.camel.util.ObjectHelper;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;

/** Describes Kafka client errors, with the settings to check. */
public final class KafkaErrors {

  private KafkaErrors() {}

  /** Whether a client could not be created since no broker's name can be resolved. */
  static boolean isNameUnknown(Throwable failure) {
    ConfigException invalid = ObjectHelper.getException(ConfigException.class, failure);
    return invalid != null
        // Kafka has no class for it
        && String.valueOf(invalid.getMessage()).startsWith("No resolvable bootstrap urls");
  }

  /** Returns the description as one line, to be appended to "Kafka" and a colon. */
  public static String describe(Throwable failure) {
    String rootCause = ErrorMessages.singleLine(failure);
    if (isNameUnknown(failure)) {
      return "no name in %s can be resolved".formatted(Setting.KAFKA_BROKERS.key());
    }
    if (ObjectHelper.getException(SslAuthenticationException.class, failure) != null) {
      return TlsErrors.isClientRejected(failure)
          ? "the broker rejects the proxy's certificate or requires one (%s); check %s and %s"
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
      return "%s; check that Kafka is running and that %s matches its listener"
          .formatted(rootCause, Setting.KAFKA_SECURITY_PROTOCOL.key());
    }
    return rootCause.replaceFirst("\\.$", "")
        + "; check that Kafka is reachable and permits the proxy to describe its topics";
  }
}
