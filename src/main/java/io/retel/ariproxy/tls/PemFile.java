// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tls;

import io.retel.ariproxy.config.ReadAccess;
import io.retel.ariproxy.config.SmallFile;
import io.retel.ariproxy.config.SmallFile.UnsuitableFileException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/**
 * A PEM file with certificates or a private key (RFC 7468), as written by openssl, cert-manager and
 * Kubernetes. Ignores text around the blocks.
 */
public record PemFile(Path path) {

  private static final String CERTIFICATE = "CERTIFICATE";
  private static final String KEY = "PRIVATE KEY";
  private static final String ENCRYPTED_KEY = "ENCRYPTED PRIVATE KEY";

  /** Several times the CAs of an operating system. */
  private static final int MAX_BYTES = 1 << 20;

  private static final String PBES2_OID = "1.2.840.113549.1.5.13";

  private static final String BEGIN = "-----BEGIN ";
  private static final String END = "-----END ";
  private static final String DASHES = "-----";

  /** Key algorithms that Kafka's client supports. */
  private static final List<String> KEY_ALGORITHMS = List.of("RSA", "EC");

  private record Block(String label, byte[] der) {}

  /**
   * Returns all certificates of the file in order, at least one.
   *
   * @throws PemException if the file cannot be read, or has no certificate or a malformed one
   */
  public List<X509Certificate> certificates() throws PemException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (Block block : blocks()) {
      if (block.label().equals(CERTIFICATE)) {
        try {
          certificates.add(
              (X509Certificate)
                  CertificateFactory.getInstance("X.509")
                      .generateCertificate(new ByteArrayInputStream(block.der())));
        } catch (CertificateException e) {
          throw invalid("which has a malformed certificate");
        }
      }
    }
    if (certificates.isEmpty()) {
      throw invalid("which has no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
    }
    return List.copyOf(certificates);
  }

  /**
   * Returns the private key of the file.
   *
   * @param password of an encrypted key; empty if it is not encrypted
   * @throws PemException if the file cannot be read, or has no usable key
   */
  public PrivateKey privateKey(String password) throws PemException {
    for (Block block : blocks()) {
      switch (block.label()) {
        case KEY -> {
          return toPrivateKey(new PKCS8EncodedKeySpec(block.der()));
        }
        case ENCRYPTED_KEY -> {
          return toPrivateKey(decrypt(block.der(), password));
        }
        case "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY" ->
            throw invalid(
                "which has a key in a legacy format (-----BEGIN "
                    + block.label()
                    + "-----); convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem");
        default -> {
          // a certificate, or key parameters
        }
      }
    }
    throw invalid("which has no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  }

  private PrivateKey toPrivateKey(PKCS8EncodedKeySpec encoded) throws PemException {
    for (String algorithm : KEY_ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
      } catch (InvalidKeySpecException e) {
        // another algorithm
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
    throw invalid("which has a key that is malformed, or neither RSA nor EC");
  }

  private PKCS8EncodedKeySpec decrypt(byte[] der, String password) throws PemException {
    if (password.isEmpty()) {
      throw invalid("which has an encrypted key, but no password is set");
    }
    try {
      EncryptedPrivateKeyInfo encrypted = new EncryptedPrivateKeyInfo(der);
      // for PBES2 the JDK returns the scheme's name in the parameters
      String scheme =
          encrypted.getAlgName().equals("PBES2") || encrypted.getAlgName().equals(PBES2_OID)
              ? String.valueOf(encrypted.getAlgParameters())
              : encrypted.getAlgName();
      Cipher cipher = Cipher.getInstance(scheme);
      cipher.init(
          Cipher.DECRYPT_MODE,
          SecretKeyFactory.getInstance(scheme)
              .generateSecret(new PBEKeySpec(password.toCharArray())),
          encrypted.getAlgParameters());
      return encrypted.getKeySpec(cipher);
    } catch (IOException | GeneralSecurityException e) {
      throw invalid("which has a key that the password does not decrypt");
    }
  }

  private List<Block> blocks() throws PemException {
    String text;
    try {
      text = new String(read(), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      throw invalid("which does not exist");
    } catch (AccessDeniedException e) {
      throw invalid("which " + ReadAccess.denial(path));
    } catch (IOException e) {
      throw invalid("which cannot be read");
    }
    return parse(text);
  }

  /** Each search begins where the previous one ended, so that the time is linear. */
  private List<Block> parse(String text) throws PemException {
    List<Block> blocks = new ArrayList<>();
    int begin = text.indexOf(BEGIN);
    while (begin >= 0) {
      int labelEnd = text.indexOf(DASHES, begin + BEGIN.length());
      int end = labelEnd < 0 ? -1 : text.indexOf(DASHES, labelEnd + DASHES.length());
      if (end < 0) {
        break;
      }
      String label = text.substring(begin + BEGIN.length(), labelEnd);
      // otherwise the block has no end, and the next one can begin here
      if (text.startsWith(END + label + DASHES, end)
          && (label.equals(CERTIFICATE) || label.endsWith(KEY))) {
        blocks.add(
            new Block(label, decode(label, text.substring(labelEnd + DASHES.length(), end))));
      }
      begin = text.indexOf(BEGIN, labelEnd);
    }
    return blocks;
  }

  private byte[] read() throws IOException, PemException {
    try {
      return SmallFile.read(path, MAX_BYTES);
    } catch (UnsuitableFileException e) {
      throw invalid("which is larger than 1 MB");
    }
  }

  private byte[] decode(String label, String body) throws PemException {
    if (body.contains(":")) {
      // headers, which only legacy key formats have
      return new byte[0];
    }
    try {
      return Base64.getMimeDecoder().decode(body);
    } catch (IllegalArgumentException e) {
      throw invalid("which has a malformed " + label.toLowerCase(Locale.ROOT));
    }
  }

  private PemException invalid(String detail) {
    return new PemException("names " + path.toAbsolutePath() + ", " + detail);
  }
}
