// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import java.util.Set;
import java.util.regex.Pattern;
import org.apache.camel.component.kafka.KafkaConstants;

/**
 * Headers hidden in traces: producers of records can put secrets into them, and the key of an event
 * without a call context is the address of an endpoint.
 */
final class SensitiveHeaders {

  private static final Pattern SENSITIVE_NAME =
      Pattern.compile(
          "auth|cookie|credential|passw|secret|token|api.?key", Pattern.CASE_INSENSITIVE);

  private static final Set<String> KEYS = Set.of(KafkaConstants.KEY, KafkaConstants.PARTITION_KEY);

  private SensitiveHeaders() {}

  static boolean matches(String header) {
    return KEYS.contains(header) || SENSITIVE_NAME.matcher(header).find();
  }
}
