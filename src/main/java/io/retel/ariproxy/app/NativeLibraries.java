// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Native code of SQLite, zstd and snappy: the shipped jars contain that of two machines. */
public final class NativeLibraries {

  private static final Logger LOG = LoggerFactory.getLogger(NativeLibraries.class);

  private static final String SYSTEM = "Linux";
  private static final Set<String> MACHINES = Set.of("amd64", "x86_64", "aarch64");

  /** In the jar of Maven Central, which a development environment uses, but not in ours. */
  private static final String ONLY_IN_COMPLETE_JAR =
      "/org/sqlite/native/Windows/x86_64/sqlitejdbc.dll";

  private NativeLibraries() {}

  /** Logs a warning if the shipped libraries have no native code for this machine. */
  public static void warnIfMissing() {
    warnIfMissing(
        System.getProperty("os.name"),
        System.getProperty("os.arch"),
        NativeLibraries.class.getResource(ONLY_IN_COMPLETE_JAR) != null);
  }

  static void warnIfMissing(String system, String machine, boolean complete) {
    if (!complete && !(system.equals(SYSTEM) && MACHINES.contains(machine))) {
      LOG.warn(
          "Native libraries are missing for {} on {}: a store in SQLite and records compressed with"
              + " snappy or zstd fail. Run the proxy on Linux, on x86-64 or ARM64",
          system,
          machine);
    }
  }
}
