// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.callcontext.store.JdbcStoreProvider;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.fixtures.FullRun;
import io.retel.ariproxy.fixtures.asterisk.SimulatedAsterisk;
import io.retel.ariproxy.fixtures.proxy.ProxyExtension;
import io.retel.ariproxy.fixtures.proxy.ProxyProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Files of a proxy process are readable for its user only, and do not accumulate. */
@FullRun("starts a process twice; TemporaryDirectoryTest and SqliteStoreIT test the same")
class TemporaryFilesIT {

  private static final String APP = "temporary-files";

  @RegisterExtension private final ProxyExtension fixture = new ProxyExtension(APP);

  @TempDir private Path folder;

  @Test
  void belongToUserAndDoNotAccumulate() throws IOException {
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Path database = Files.createDirectory(folder.resolve("data")).resolve("call-contexts.db");
    SimulatedAsterisk asterisk = fixture.startSimulatedAsterisk();
    fixture
        .settings()
        .with(Setting.CALLCONTEXT_STORE, "jdbc")
        .with(JdbcStoreProvider.URL, "jdbc:sqlite:" + database)
        .withCamelProperty("java.io.tmpdir", temporary.toString());
    ProxyProcess proxy = fixture.startProxyProcess(folder.resolve("proxy.log"));
    asterisk.awaitConnected(APP);
    asterisk.call(APP, "100", Map.of("CALL_CONTEXT", "call"));
    fixture.controller().event("call", "STASIS_START");

    assertThat(list(database.getParent()))
        .hasSizeGreaterThan(1)
        .allSatisfy(file -> assertThat(permissions(file)).isEqualTo("rw-------"));
    assertThat(list(temporary))
        .singleElement()
        .satisfies(directory -> assertThat(permissions(directory)).isEqualTo("rwx------"))
        .satisfies(directory -> assertThat(list(directory)).hasSizeGreaterThan(1));
    Path first = list(temporary).get(0);

    proxy.kill();
    asterisk.awaitDisconnected(APP);
    assertThat(list(temporary)).containsExactly(first);
    proxy.start();
    asterisk.awaitConnected(APP);
    assertThat(list(temporary)).hasSize(1).doesNotContain(first);

    assertThat(proxy.terminate()).isEqualTo(143);
    assertThat(list(temporary)).isEmpty();
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }
}
