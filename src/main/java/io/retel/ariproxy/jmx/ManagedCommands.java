package io.retel.ariproxy.jmx;

import io.retel.ariproxy.command.CommandConsumption;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;

/** The commands that this proxy carries out, and their pause. */
@ManagedResource(description = "The commands that this proxy carries out")
public final class ManagedCommands {

  private final CommandConsumption commandConsumption;

  public ManagedCommands(CommandConsumption commandConsumption) {
    this.commandConsumption = commandConsumption;
  }

  @ManagedAttribute(
      description =
          "RUNNING; DRAINING, which is paused with commands under way; or DRAINED, with none any more")
  public String getState() {
    return commandConsumption.state().toString();
  }

  @ManagedAttribute(description = "Since when commands are paused; empty if they are not")
  public String getPausedSince() {
    return commandConsumption.pausedSince().map(Object::toString).orElse("");
  }

  @ManagedAttribute(description = "How many commands are being carried out, or answered")
  public int getInFlight() {
    return commandConsumption.inFlight();
  }

  @ManagedAttribute(description = "How many commands have been read and wait for their turn")
  public int getQueued() {
    return commandConsumption.pending();
  }

  @ManagedAttribute(description = "The routes that read commands now")
  public String[] getActiveRoutes() {
    return commandConsumption.activeRoutes().toArray(String[]::new);
  }

  @ManagedOperation(
      description =
          "Takes no more commands until resume: those under way are finished, those of the generic topic"
              + " go to other proxies, those of the own topic wait in Kafka. Events go on")
  public void pause() {
    commandConsumption.pause();
  }

  @ManagedOperation(
      description = "Takes commands again, as soon as those from before the pause are answered")
  public void resume() {
    commandConsumption.resume();
  }
}
