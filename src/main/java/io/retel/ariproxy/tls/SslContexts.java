// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Supplier;
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

  private final Supplier<List<X509Certificate>> trusted;

  private volatile @Nullable Current current;

  private record Current(List<X509Certificate> trusted, SSLContext context) {}

  /**
   * @param trusted the only CAs or server certificates to trust; none for the JVM's
   */
  public SslContexts(Supplier<List<X509Certificate>> trusted) {
    this.trusted = trusted;
  }

  @Override
  public SSLContext get() {
    List<X509Certificate> trustedNow = trusted.get();
    Current last = current;
    if (last == null || !last.trusted().equals(trustedNow)) {
      last = new Current(trustedNow, create(trustedNow));
      current = last;
    }
    return last.context();
  }

  private static SSLContext create(List<X509Certificate> trusted) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trusted.isEmpty() ? null : trustManagers(trusted), null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
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
