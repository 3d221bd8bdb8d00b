// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import io.retel.ariproxy.command.CommandConsumption;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;

/** MBean for the consumption of commands, with pause and resume. */
@ManagedResource(description = "Consumption of commands by this proxy")
public final class ManagedCommands {

  private final CommandConsumption commandConsumption;

  public ManagedCommands(CommandConsumption commandConsumption) {
    this.commandConsumption = commandConsumption;
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
      description = "Resumes consuming once all commands from before the pause have completed")
  public void resume() {
    commandConsumption.resume();
  }
}
