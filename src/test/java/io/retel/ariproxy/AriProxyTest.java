// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.Security;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The JVM's caches of names, which the main class limits. */
class AriProxyTest {

  private static final String TTL = "networkaddress.cache.ttl";
  private static final String NEGATIVE_TTL = "networkaddress.cache.negative.ttl";

  private final String ttlBefore = Objects.requireNonNullElse(Security.getProperty(TTL), "");
  private final String negativeTtlBefore =
      Objects.requireNonNullElse(Security.getProperty(NEGATIVE_TTL), "");

  /** The JVM has read the properties with its first lookup; another test can read them again. */
  @AfterEach
  void restore() {
    Security.setProperty(TTL, ttlBefore);
    Security.setProperty(NEGATIVE_TTL, negativeTtlBefore);
  }

  @Test
  void limitsDefaultOfFailedLookups() {
    Security.setProperty(NEGATIVE_TTL, "10");

    AriProxy.limitNameCaches();

    assertThat(Security.getProperty(NEGATIVE_TTL)).isEqualTo("1");
  }

  @ParameterizedTest
  @CsvSource({"30, 20", "0, 0", "-1, -1"})
  void preservesValuesOfOperator(String ttl, String negativeTtl) {
    Security.setProperty(TTL, ttl);
    Security.setProperty(NEGATIVE_TTL, negativeTtl);

    AriProxy.limitNameCaches();

    assertThat(Security.getProperty(TTL)).isEqualTo(ttl);
    assertThat(Security.getProperty(NEGATIVE_TTL)).isEqualTo(negativeTtl);
  }
}
