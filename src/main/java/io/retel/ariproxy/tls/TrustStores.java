// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import org.apache.camel.support.jsse.KeyStoreParameters;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.apache.camel.support.jsse.TrustManagersParameters;

/** TLS settings of clients that trust only the given CAs or certificates. */
public final class TrustStores {

  private TrustStores() {}

  /**
   * Returns TLS settings for Camel's components.
   *
   * @param certificates trusted, at least one
   */
  public static SSLContextParameters trusting(List<X509Certificate> certificates) {
    KeyStoreParameters store = new KeyStoreParameters();
    store.setKeyStore(keyStore(certificates));
    TrustManagersParameters trust = new TrustManagersParameters();
    trust.setKeyStore(store);
    SSLContextParameters tls = new SSLContextParameters();
    tls.setTrustManagers(trust);
    return tls;
  }

  private static KeyStore keyStore(List<X509Certificate> certificates) {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      for (X509Certificate certificate : certificates) {
        store.setCertificateEntry("trusted-" + store.size(), certificate);
      }
      return store;
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
