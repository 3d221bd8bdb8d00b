// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import java.util.Map;

/** Runs the main class in this process, for tests in other packages. */
public final class AriProxyStart {

  private AriProxyStart() {}

  /** Returns the exit code. */
  public static int run(Map<String, String> environment) {
    return AriProxy.run(new String[0], environment);
  }
}
