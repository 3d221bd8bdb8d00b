package io.retel.ariproxy.jmx;

import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;

/** The websocket over which Asterisk sends its events. */
@ManagedResource(description = "The websocket over which Asterisk sends its events")
public final class ManagedWebsocket {

  private final Supplier<List<WebSocketStatus>> statuses;
  private final Runnable reconnect;

  /**
   * @param status how the websockets are; there is one, or none before the route of the events runs
   * @param reconnect closes it and opens it anew
   */
  public ManagedWebsocket(Supplier<List<WebSocketStatus>> statuses, Runnable reconnect) {
    this.statuses = statuses;
    this.reconnect = reconnect;
  }

  @ManagedAttribute(description = "Where it leads")
  public String getAddress() {
    return attribute(WebSocketStatus::address, "");
  }

  @ManagedAttribute(description = "Whether events can arrive")
  public boolean isConnected() {
    return attribute(WebSocketStatus::connected, false);
  }

  @ManagedAttribute(description = "Since when it is connected, or is not")
  public String getStateSince() {
    return attribute(websocket -> websocket.since().toString(), "");
  }

  @ManagedAttribute(
      description = "Why it is not connected, or was not the last time; empty if it never failed")
  public String getLastError() {
    return attribute(
        WebSocketStatus::lastError, "The route of the events has not been started yet");
  }

  @ManagedAttribute(
      description = "How many tries have failed since it was last connected for a while")
  public int getFailures() {
    return attribute(WebSocketStatus::failures, 0);
  }

  @ManagedAttribute(description = "How often it was opened again")
  public long getReconnects() {
    return attribute(WebSocketStatus::reconnects, 0L);
  }

  @ManagedAttribute(description = "How many events have been read and wait for the route")
  public int getBufferedMessages() {
    return attribute(WebSocketStatus::bufferedMessages, 0);
  }

  @ManagedAttribute(description = "What those weigh, in bytes")
  public long getBufferedBytes() {
    return attribute(WebSocketStatus::bufferedBytes, 0L);
  }

  @ManagedAttribute(description = "At what weight the websocket is no longer read, in bytes")
  public long getBufferLimit() {
    return attribute(WebSocketStatus::maxBufferedBytes, 0L);
  }

  @ManagedOperation(
      description =
          "Closes it and opens it anew, or tries at once if it is not open; what is missed meanwhile is"
              + " made up for")
  public void reconnect() {
    if (statuses.get().isEmpty()) {
      throw new IllegalStateException(
          "There is no websocket yet: the route of the events has not been started");
    }
    reconnect.run();
  }

  private <T> T attribute(Function<WebSocketStatus, T> getter, T defaultValue) {
    return statuses.get().stream().findFirst().map(getter).orElse(defaultValue);
  }
}
