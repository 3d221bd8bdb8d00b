// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.app;

import io.retel.ariproxy.command.CommandErrors;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.event.EventErrors;
import io.retel.ariproxy.resync.ResyncErrors;
import io.retel.ariproxy.resync.ResyncRoutes;
import io.retel.ariproxy.route.CompiledRoutes;
import io.retel.ariproxy.route.PropagateErrors;
import java.util.List;
import java.util.Set;

/** The routes of the proxy: those in Java, and those that must exist in files. */
final class ProxyRoutes {

  /** Routes without which events or commands do not flow between Asterisk and Kafka. */
  static final Set<String> REQUIRED_FILES =
      Set.of("events", "commands", "execute-command", "publish");

  private ProxyRoutes() {}

  static CompiledRoutes compiled(Settings settings) {
    return new CompiledRoutes(
        List.of(
            PropagateErrors::new,
            EventErrors::new,
            () -> new CommandErrors(CommandErrors.retries(settings)),
            ResyncErrors::new,
            ResyncRoutes::new));
  }
}
