// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import io.retel.ariproxy.command.CommandConsumption;
import java.util.List;
import java.util.function.Supplier;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;

/** MBean for the consumption of commands, with pause and resume. */
@ManagedResource(description = "Consumption of commands by this proxy")
public final class ManagedCommands {

  private final CommandConsumption commandConsumption;
  private final Supplier<List<String>> skipUnreadable;

  /**
   * @param skipUnreadable skips commands that cannot be read, and returns which
   */
  public ManagedCommands(
      CommandConsumption commandConsumption, Supplier<List<String>> skipUnreadable) {
    this.commandConsumption = commandConsumption;
    this.skipUnreadable = skipUnreadable;
  }

  @ManagedAttribute(
      description =
          "RUNNING; DRAINING: paused, with commands in flight; DRAINED: paused, with none in flight")
  public String getState() {
    return commandConsumption.state().toString();
  }

  @ManagedAttribute(description = "Time when the pause began; empty if commands are not paused")
  public String getPausedSince() {
    return commandConsumption.pausedSince().map(Object::toString).orElse("");
  }

  @ManagedAttribute(description = "Whether generic commands are paused by pauseGeneric")
  public boolean isGenericPaused() {
    return commandConsumption.isGenericPaused();
  }

  @ManagedAttribute(description = "Number of commands being executed or publishing their RESPONSE")
  public int getInFlight() {
    return commandConsumption.inFlight();
  }

  @ManagedAttribute(description = "Number of pending commands: consumed, but not started")
  public int getQueued() {
    return commandConsumption.pending();
  }

  @ManagedAttribute(description = "Routes that consume commands now")
  public String[] getActiveRoutes() {
    return commandConsumption.activeRoutes().toArray(String[]::new);
  }

  @ManagedOperation(
      description =
          "Stops consuming commands until resume. Commands in flight complete; generic commands go to"
              + " other proxies, and commands for this proxy wait in Kafka. Events continue")
  public void pause() {
    commandConsumption.pause();
  }

  @ManagedOperation(
      description =
          "Stops consuming generic commands until resume, so that other proxies start new calls. Commands"
              + " for this proxy continue")
  public void pauseGeneric() {
    commandConsumption.pauseGeneric();
  }

  @ManagedOperation(
      description = "Resumes consuming once all commands from before the pause have completed")
  public void resume() {
    commandConsumption.resume();
  }

  @ManagedOperation(
      description =
          "Skips commands that cannot be read, up to the next one that can be, in each partition where"
              + " health reports some. They get no RESPONSE. Returns what is skipped")
  public String[] skipUnreadable() {
    return skipUnreadable.get().toArray(String[]::new);
  }
}
