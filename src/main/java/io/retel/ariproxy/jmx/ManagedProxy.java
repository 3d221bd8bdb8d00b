// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import java.time.Instant;
import java.util.function.Supplier;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedResource;

/** MBean for the state of the proxy. */
@ManagedResource(description = "State of this proxy")
public final class ManagedProxy {

  private final Supplier<String> state;
  private final Supplier<Instant> stateSince;

  /**
   * @param state the current state
   * @param stateSince the time of the last transition
   */
  public ManagedProxy(Supplier<String> state, Supplier<Instant> stateSince) {
    this.state = state;
    this.stateSince = stateSince;
  }

  @ManagedAttribute(
      description =
          "STARTING: topics do not exist yet; RESTORING: reads the store; RUNNING; PAUSED: commands"
              + " paused by an operator; DRAINING: shutting down; STOPPED")
  public String getState() {
    return state.get();
  }

  @ManagedAttribute(description = "Time of the last transition")
  public String getStateSince() {
    return stateSince.get().toString();
  }
}
