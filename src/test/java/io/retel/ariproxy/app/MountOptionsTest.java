// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether native libraries can be loaded from a folder. */
class MountOptionsTest {

  private static final List<String> MOUNTS =
      List.of(
          "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
          "31 21 0:30 / /tmp rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw",
          "32 31 0:31 / /tmp/with\\040space rw,nosuid - tmpfs tmpfs rw",
          "33 21 0:32 / /opt rw,noexec - tmpfs tmpfs rw",
          "34 33 0:33 / /opt rw,exec - tmpfs tmpfs rw",
          "incomplete");

  @ParameterizedTest
  @CsvSource({
    "/, true",
    "/tmp, false",
    "/tmp/folder, false",
    "/tmp/with space/folder, true",
    "/tmporary, true",
    "/opt/folder, true"
  })
  void readsOptionsOfFileSystemThatContainsFolder(Path folder, boolean permitted) {
    assertThat(MountOptions.permitsExecution(folder, MOUNTS)).isEqualTo(permitted);
  }
}
