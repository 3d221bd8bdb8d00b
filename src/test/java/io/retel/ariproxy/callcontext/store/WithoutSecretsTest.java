package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.settings.Secret;
import java.io.IOException;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Where a failure may hide a secret. */
class WithoutSecretsTest {

  private final WithoutSecrets withoutSecrets = new WithoutSecrets(new Secret("s3cret"));

  @Test
  void aFailureThatTellsNoneIsPassedOnAsItIs() {
    Exception failure = new IOException("refused", new IOException("why"));
    assertThat(withoutSecrets.of(failure)).isSameAs(failure);
  }

  @Test
  void aSecretIsMaskedWhereverItIsTold() {
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
      Exception passedOn = withoutSecrets.of(failure);
      assertThat(passedOn).hasNoCause().hasNoSuppressedExceptions();
      assertThat(passedOn.getMessage()).isNotBlank().doesNotContain("s3cret");
    }
  }

  @Test
  void whatIsSaidBesideTheSecretIsStillSaid() {
    assertThat(withoutSecrets.of(new IOException("by s3cret, that"))).hasMessage("by ***, that");
  }

  @Test
  void whereThereIsNoPasswordNothingIsMasked() {
    Exception failure = new IOException("refused");
    assertThat(new WithoutSecrets(new Secret("")).of(failure)).isSameAs(failure);
  }
}
