package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.ErrorMessages;
import io.retel.ariproxy.config.Secret;
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
 * Passes failures on without secrets: drivers, and the servers that they quote, put into messages
 * what they were given, a password among it.
 */
final class SecretRedactor {

  private final List<Secret> secrets;

  SecretRedactor(Secret... secrets) {
    this.secrets = Stream.of(secrets).filter(secret -> !secret.reveal().isEmpty()).toList();
  }

  /**
   * The failure itself, or where it tells a secret, one that says the same with the secret masked.
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
