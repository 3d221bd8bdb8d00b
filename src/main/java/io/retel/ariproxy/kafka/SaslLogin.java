// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import io.retel.ariproxy.config.Secret;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;

/**
 * SASL login with the password as it is now, for each new connection and each reauthentication.
 * Kafka's own login remembers the password of the time at which the client was created.
 */
public final class SaslLogin implements AuthenticateCallbackHandler {

  /** Client option with the {@link Credentials}. */
  static final String CREDENTIALS = "ari-proxy.sasl-credentials";

  private Credentials credentials;

  record Credentials(String username, Secret password) {}

  @Override
  public void configure(
      Map<String, ?> configs, String saslMechanism, List<AppConfigurationEntry> jaasConfigEntries) {
    credentials = (Credentials) Objects.requireNonNull(configs.get(CREDENTIALS));
  }

  @Override
  public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
    for (Callback callback : callbacks) {
      if (callback instanceof NameCallback name) {
        name.setName(credentials.username());
      } else if (callback instanceof PasswordCallback password) {
        password.setPassword(credentials.password().reveal().toCharArray());
      } else {
        // such as extensions of SCRAM, which are optional
        throw new UnsupportedCallbackException(callback);
      }
    }
  }

  @Override
  public void close() {}
}
