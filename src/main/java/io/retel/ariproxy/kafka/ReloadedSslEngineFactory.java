// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.security.KeyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS of a Kafka client, with the certificates and the key as they are at each new connection.
 * Kafka's own factory, which does the work, reads them when the client is created.
 */
public final class ReloadedSslEngineFactory implements SslEngineFactory {

  /** Client option with the {@link TlsOptions}. */
  static final String TLS_OPTIONS = "ari-proxy.tls-options";

  private Map<String, ?> configs;
  private TlsOptions tlsOptions;
  private volatile @Nullable Current current;

  /** The options of certificates and keys, as they are now. */
  @FunctionalInterface
  interface TlsOptions extends Supplier<Map<String, Object>> {}

  private record Current(Map<String, Object> options, SslEngineFactory factory) {}

  @Override
  public void configure(Map<String, ?> clientConfig) {
    configs = clientConfig;
    tlsOptions = (TlsOptions) Objects.requireNonNull(clientConfig.get(TLS_OPTIONS));
    // fails now if they are unusable
    current();
  }

  private SslEngineFactory current() {
    Map<String, Object> options = tlsOptions.get();
    Current last = current;
    if (last == null || !last.options().equals(options)) {
      Map<String, Object> all = new HashMap<>(configs);
      all.putAll(options);
      DefaultSslEngineFactory factory = new DefaultSslEngineFactory();
      factory.configure(all);
      last = new Current(options, factory);
      current = last;
    }
    return last.factory();
  }

  @Override
  public SSLEngine createClientSslEngine(
      String peerHost, int peerPort, String endpointIdentification) {
    return current().createClientSslEngine(peerHost, peerPort, endpointIdentification);
  }

  @Override
  public SSLEngine createServerSslEngine(String peerHost, int peerPort) {
    throw new UnsupportedOperationException("the proxy is a client");
  }

  @Override
  public boolean shouldBeRebuilt(Map<String, Object> nextConfigs) {
    return false;
  }

  @Override
  public Set<String> reconfigurableConfigs() {
    return Set.of();
  }

  @Override
  public KeyStore keystore() {
    return current().keystore();
  }

  @Override
  public KeyStore truststore() {
    return current().truststore();
  }

  @Override
  public void close() {}
}
