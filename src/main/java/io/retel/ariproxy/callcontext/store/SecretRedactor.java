// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.ErrorMessages;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Removes secrets from exceptions of drivers and servers.
 *
 * <p>Their messages can quote input, including a password.
 */
final class SecretRedactor {

  private final List<Secret> secrets;

  SecretRedactor(Secret... secrets) {
    this.secrets = Stream.of(secrets).filter(secret -> !secret.reveal().isEmpty()).toList();
  }

  /**
   * Returns the exception itself, or if it contains a secret, a copy with the secret masked and
   * without causes.
   */
  Exception redact(Exception failure) {
    return containsSecret(failure)
        ? new IOException(mask(ErrorMessages.singleLine(failure)))
        : failure;
  }

  private boolean containsSecret(Throwable failure) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Throwable> toVisit = new ArrayDeque<>(List.of(failure));
    while (!toVisit.isEmpty()) {
      Throwable next = toVisit.pop();
      if (!seen.add(next)) {
        continue;
      }
      String text = next.toString();
      if (secrets.stream().anyMatch(secret -> text.contains(secret.reveal()))) {
        return true;
      }
      toVisit.addAll(List.of(next.getSuppressed()));
      if (next.getCause() != null) {
        toVisit.add(next.getCause());
      }
      if (next instanceof SQLException sql && sql.getNextException() != null) {
        toVisit.add(sql.getNextException());
      }
    }
    return false;
  }

  private String mask(String message) {
    String masked = message;
    for (Secret secret : secrets) {
      masked = masked.replace(secret.reveal(), secret.toString());
    }
    return masked;
  }
}
