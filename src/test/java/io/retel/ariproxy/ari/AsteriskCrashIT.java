// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.RealAsterisk;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Pins that Asterisk crashes on a list whose elements are not strings. Once a new version does not,
 * the proxy need not reject such lists of that version (docs/contract.md#commands).
 */
@FullRun("crashes Asterisk; faster: CommandRulesTest rejects such lists")
@Tag(FullRun.ON_DEMAND)
class AsteriskCrashIT {

  @ParameterizedTest
  @CsvSource({"sid, 1", "sid, null", "sid, {}", "bullseye, 1", "bullseye, null", "bullseye, {}"})
  void crashesOnListElementThatIsNotString(String suite, String element) {
    try (RealAsterisk asterisk = RealAsterisk.start(suite)) {
      asterisk.register("app");
      String body = "{\"eventSource\":[" + element + "]}";

      assertThat(asterisk.survives("POST", "/applications/app/subscription", body))
          .as("%s has mended its crash on %s", asterisk, body)
          .isFalse();
    }
  }
}
