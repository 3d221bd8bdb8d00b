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

  private final Supplier<List<WebSocketStatus>> status;
  private final Runnable reconnect;

  /**
   * @param status how the websockets are; there is one, or none before the route of the events runs
   * @param reconnect closes it and opens it anew
   */
  public ManagedWebsocket(Supplier<List<WebSocketStatus>> status, Runnable reconnect) {
    this.status = status;
    this.reconnect = reconnect;
  }

  @ManagedAttribute(description = "Where it leads")
  public String getAddress() {
    return now(WebSocketStatus::address, "");
  }

  @ManagedAttribute(description = "Whether events can arrive")
  public boolean isConnected() {
    return now(WebSocketStatus::connected, false);
  }

  @ManagedAttribute(description = "Since when it is connected, or is not")
  public String getSince() {
    return now(websocket -> websocket.since().toString(), "");
  }

  @ManagedAttribute(
      description = "Why it is not connected, or was not the last time; empty if it never failed")
  public String getLastError() {
    return now(WebSocketStatus::lastError, "The route of the events has not been started yet");
  }

  @ManagedAttribute(
      description = "How many tries have failed since it was last connected for a while")
  public int getFailures() {
    return now(WebSocketStatus::failures, 0);
  }

  @ManagedAttribute(description = "How often it was opened again")
  public long getReconnects() {
    return now(WebSocketStatus::reconnects, 0L);
  }

  @ManagedAttribute(description = "How many events have been read and wait for the route")
  public int getBufferedMessages() {
    return now(WebSocketStatus::bufferedMessages, 0);
  }

  @ManagedAttribute(description = "What those weigh, in bytes")
  public long getBufferedBytes() {
    return now(WebSocketStatus::bufferedBytes, 0L);
  }

  @ManagedAttribute(description = "At what weight the websocket is no longer read, in bytes")
  public long getBufferLimit() {
    return now(WebSocketStatus::bufferLimit, 0L);
  }

  @ManagedOperation(
      description =
          "Closes it and opens it anew, or tries at once if it is not open; what is missed meanwhile is"
              + " made up for")
  public void reconnect() {
    if (status.get().isEmpty()) {
      throw new IllegalStateException(
          "There is no websocket yet: the route of the events has not been started");
    }
    reconnect.run();
  }

  private <T> T now(Function<WebSocketStatus, T> attribute, T none) {
    return status.get().stream().findFirst().map(attribute).orElse(none);
  }
}
