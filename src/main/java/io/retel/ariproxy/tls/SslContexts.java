// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * TLS context of a client's next connection: a new one after its certificates were replaced. It
 * shares no session with the previous one, so that a CA that is no longer trusted is rejected.
 * Thread-safe.
 */
public final class SslContexts implements Supplier<SSLContext> {

  private static final char[] NO_PASSWORD = {};

  private final Supplier<List<X509Certificate>> trusted;
  private final Optional<Supplier<ClientCertificate>> client;

  private volatile @Nullable Current current;

  private record Current(
      List<X509Certificate> trusted, Optional<ClientCertificate> client, SSLContext context) {}

  /**
   * @param trusted the only CAs or server certificates to trust; none for the JVM's
   */
  public SslContexts(Supplier<List<X509Certificate>> trusted) {
    this(trusted, Optional.empty());
  }

  /**
   * @param trusted the only CAs or server certificates to trust; none for the JVM's
   * @param client for servers that require a client certificate
   */
  public SslContexts(
      Supplier<List<X509Certificate>> trusted, Optional<Supplier<ClientCertificate>> client) {
    this.trusted = trusted;
    this.client = client;
  }

  @Override
  public SSLContext get() {
    List<X509Certificate> trustedNow = trusted.get();
    Optional<ClientCertificate> clientNow = client.map(Supplier::get);
    Current last = current;
    if (last == null || !last.trusted().equals(trustedNow) || !last.client().equals(clientNow)) {
      last = new Current(trustedNow, clientNow, create(trustedNow, clientNow));
      current = last;
    }
    return last.context();
  }

  private static SSLContext create(
      List<X509Certificate> trusted, Optional<ClientCertificate> client) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          client.isPresent() ? keyManagers(client.get()) : null,
          trusted.isEmpty() ? null : trustManagers(trusted),
          null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyManager[] keyManagers(ClientCertificate client)
      throws GeneralSecurityException, IOException {
    KeyStore store = emptyKeyStore();
    store.setKeyEntry(
        "client", client.key(), NO_PASSWORD, client.chain().toArray(X509Certificate[]::new));
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }

  private static TrustManager[] trustManagers(List<X509Certificate> trusted)
      throws GeneralSecurityException, IOException {
    KeyStore store = emptyKeyStore();
    for (X509Certificate certificate : trusted) {
      store.setCertificateEntry("trusted-" + store.size(), certificate);
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }

  private static KeyStore emptyKeyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }
}
