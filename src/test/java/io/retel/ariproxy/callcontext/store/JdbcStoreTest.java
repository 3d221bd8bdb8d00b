// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.retel.ariproxy.config.Secret;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Passwords in the URL of a store that cannot be reached. */
class JdbcStoreTest {

  /** The drivers quote parameters and file names. */
  @ParameterizedTest
  @CsvSource({
    "jdbc:postgresql://127.0.0.1:1/d?user=u&password=not-seen&sslmode=not-seen, ''",
    "jdbc:postgresql://127.0.0.1:1/d?password=not%2Dseen&user=u&sslmode=not-seen, ''",
    "jdbc:postgresql://127.0.0.1:1/d?password=not-seen&sslmode=not-seen, user",
    "jdbc:postgresql://127.0.0.1:1/d?user=u&sslpassword=not-seen&sslmode=not-seen, ''",
    "jdbc:postgresql://127.0.0.1:1/not-seen?user=u&PASSWORD=not-seen, ''",
    "jdbc:sqlite:missing-folder/x.db?password=not-seen, ''",
    "jdbc:sqlite:missing-folder/x.db?a=b&password=not-seen, ''"
  })
  void exceptionLacksPasswordOfUrl(String url, String username) {
    try (CallContextStore store =
        new JdbcStore(
            new Secret(url), username, new Secret(""), "asterisk", "app", Duration.ofSeconds(10))) {
      Throwable failure = catchThrowable(() -> store.readAll((key, value) -> {}));

      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      assertThat(trace.toString()).doesNotContain("not-seen", "not%2Dseen");
    }
  }
}
