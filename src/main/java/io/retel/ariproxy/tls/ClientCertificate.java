// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * The proxy's certificate and key for servers that require client authentication.
 *
 * @param chain the certificate, followed by intermediate CAs, if any
 * @param key private key of the certificate
 */
public record ClientCertificate(List<X509Certificate> chain, PrivateKey key) {

  private static final byte[] TEST_DATA = {1, 2, 3};

  public ClientCertificate {
    chain = List.copyOf(chain);
  }

  /**
   * Whether the key belongs to the certificate. Checked here because a server would report only a
   * generic TLS failure.
   */
  public boolean keyMatchesCertificate() {
    String algorithm = key.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA";
    try {
      Signature signer = Signature.getInstance(algorithm);
      signer.initSign(key);
      signer.update(TEST_DATA);
      byte[] signature = signer.sign();
      Signature verifier = Signature.getInstance(algorithm);
      verifier.initVerify(chain.get(0).getPublicKey());
      verifier.update(TEST_DATA);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  @Override
  public String toString() {
    return chain.get(0).getSubjectX500Principal().getName();
  }
}
