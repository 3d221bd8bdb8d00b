// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.config.Secret;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Masking of secrets anywhere in an exception. */
class SecretRedactorTest {

  private final SecretRedactor redactor = new SecretRedactor(new Secret("s3cret"));

  @Test
  void returnsFailureWithoutSecretUnchanged() {
    Exception failure = new IOException("refused", new IOException("why"));
    assertThat(redactor.redact(failure)).isSameAs(failure);
  }

  @Test
  void masksSecretInCausesAndSuppressed() {
    Exception suppressing = new IOException("a");
    suppressing.addSuppressed(new IOException("b", new IOException("by s3cret")));
    SQLException followed = new SQLException("a");
    followed.setNextException(new SQLException("by s3cret"));
    for (Exception failure :
        List.of(
            new IOException("by s3cret"),
            new IOException("a", new IOException("by s3cret")),
            new IOException("by s3cret", new IOException("a")),
            suppressing,
            followed)) {
      Exception redacted = redactor.redact(failure);
      assertThat(redacted).hasNoCause().hasNoSuppressedExceptions();
      assertThat(redacted.getMessage()).isNotBlank().doesNotContain("s3cret");
    }
  }

  @Test
  void preservesRestOfMessage() {
    assertThat(redactor.redact(new IOException("by s3cret, that"))).hasMessage("by ***, that");
  }

  @Test
  void emptySecretMasksNothing() {
    Exception failure = new IOException("refused");
    assertThat(new SecretRedactor(new Secret("")).redact(failure)).isSameAs(failure);
  }
}
