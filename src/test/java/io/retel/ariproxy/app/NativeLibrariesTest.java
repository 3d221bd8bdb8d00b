// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.retel.ariproxy.fixtures.CapturedLog;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeLibrariesTest {

  @AutoClose private final CapturedLog log = new CapturedLog();

  @ParameterizedTest
  @CsvSource({"Linux, ppc64le", "Linux, i386", "Mac OS X, aarch64", "Windows 11, amd64"})
  void warnsOnMachineWithoutNativeCode(String system, String machine) {
    NativeLibraries.warnIfMissing(system, machine, false);
    assertThat(log.lines(Level.WARN))
        .singleElement()
        .asString()
        .startsWith("Native libraries are missing for " + system + " on " + machine + ": ");
  }

  @ParameterizedTest
  @CsvSource({"Linux, amd64", "Linux, aarch64"})
  void acceptsMachineWithNativeCode(String system, String machine) {
    NativeLibraries.warnIfMissing(system, machine, false);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }

  @Test
  void acceptsEveryMachineWithCompleteJars() {
    NativeLibraries.warnIfMissing("Linux", "ppc64le", true);
    assertThat(log.lines(Level.WARN)).isEmpty();
  }
}
