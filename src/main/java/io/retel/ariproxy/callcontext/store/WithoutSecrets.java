package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.RootCause;
import io.retel.ariproxy.settings.Secret;
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
final class WithoutSecrets {

  private final List<Secret> secrets;

  WithoutSecrets(Secret... secrets) {
    this.secrets = Stream.of(secrets).filter(secret -> !secret.reveal().isEmpty()).toList();
  }

  /**
   * The failure itself, or where it tells a secret, one that says the same with the secret masked.
   */
  Exception of(Exception failure) {
    return tells(failure) ? new IOException(masked(RootCause.inOneLine(failure))) : failure;
  }

  private boolean tells(Throwable failure) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Throwable> left = new ArrayDeque<>(List.of(failure));
    while (!left.isEmpty()) {
      Throwable next = left.pop();
      if (!seen.add(next)) {
        continue;
      }
      String told = next.toString();
      if (secrets.stream().anyMatch(secret -> told.contains(secret.reveal()))) {
        return true;
      }
      left.addAll(List.of(next.getSuppressed()));
      if (next.getCause() != null) {
        left.add(next.getCause());
      }
      if (next instanceof SQLException sql && sql.getNextException() != null) {
        left.add(sql.getNextException());
      }
    }
    return false;
  }

  private String masked(String message) {
    String masked = message;
    for (Secret secret : secrets) {
      masked = masked.replace(secret.reveal(), secret.toString());
    }
    return masked;
  }
}
