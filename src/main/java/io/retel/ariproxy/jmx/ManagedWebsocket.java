// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import io.retel.ariproxy.component.ahcws.WebSocketStatus;
import io.retel.ariproxy.text.LogText;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.apache.camel.api.management.ManagedAttribute;
import org.apache.camel.api.management.ManagedOperation;
import org.apache.camel.api.management.ManagedResource;
import org.jspecify.annotations.Nullable;

/** MBean for the websocket that receives events from Asterisk. */
@ManagedResource(description = "Websocket that receives events from Asterisk")
public final class ManagedWebsocket {

  private final Supplier<List<WebSocketStatus>> statuses;
  private final Runnable reconnect;
  private final Supplier<Collection<String>> ownApplications;
  private final Supplier<Collection<String>> lostApplications;
  private final Predicate<String> reclaim;

  /**
   * @param statuses the status of the websocket; empty before the events route runs
   * @param reconnect closes and reopens the websocket
   * @param ownApplications the Stasis applications whose events arrive
   * @param lostApplications those that another client has taken over
   * @param reclaim takes a lost application back; returns false if it is not lost
   */
  public ManagedWebsocket(
      Supplier<List<WebSocketStatus>> statuses,
      Runnable reconnect,
      Supplier<Collection<String>> ownApplications,
      Supplier<Collection<String>> lostApplications,
      Predicate<String> reclaim) {
    this.statuses = statuses;
    this.reconnect = reconnect;
    this.ownApplications = ownApplications;
    this.lostApplications = lostApplications;
    this.reclaim = reclaim;
  }

  @ManagedAttribute(description = "Address of the websocket")
  public String getAddress() {
    return attribute(WebSocketStatus::address, "");
  }

  @ManagedAttribute(description = "Whether events can arrive")
  public boolean isConnected() {
    return attribute(WebSocketStatus::connected, false);
  }

  @ManagedAttribute(description = "Time of the last connect or disconnect")
  public String getStateSince() {
    return attribute(websocket -> websocket.since().toString(), "");
  }

  @ManagedAttribute(
      description = "Reason for the current or last disconnect; empty if it never failed")
  public String getLastError() {
    return attribute(WebSocketStatus::lastError, "The events route has not been started yet");
  }

  @ManagedAttribute(description = "Number of failed attempts since the last stable connection")
  public int getFailures() {
    return attribute(WebSocketStatus::failures, 0);
  }

  @ManagedAttribute(description = "Number of reconnects")
  public long getReconnects() {
    return attribute(WebSocketStatus::reconnects, 0L);
  }

  @ManagedAttribute(description = "Number of buffered events waiting for the route")
  public int getBufferedMessages() {
    return attribute(WebSocketStatus::bufferedMessages, 0);
  }

  @ManagedAttribute(description = "Size of the buffered events, in bytes")
  public long getBufferedBytes() {
    return attribute(WebSocketStatus::bufferedBytes, 0L);
  }

  @ManagedAttribute(description = "Buffer size at which websocket reads pause, in bytes")
  public long getBufferLimit() {
    return attribute(WebSocketStatus::maxBufferedBytes, 0L);
  }

  @ManagedAttribute(description = "Stasis applications whose events arrive")
  public String getApplications() {
    return String.join(",", ownApplications.get());
  }

  @ManagedAttribute(
      description = "Stasis applications that another client of Asterisk has taken over")
  public String getLostApplications() {
    return String.join(",", lostApplications.get());
  }

  @ManagedOperation(
      description =
          "Takes a lost Stasis application back: reopens the websocket with it, and Asterisk stops"
              + " sending its events to the other client")
  public void reclaim(@Nullable String application) {
    if (application == null) {
      throw new IllegalArgumentException("The application is missing");
    }
    if (!reclaim.test(application)) {
      throw new IllegalArgumentException(
          "Not a lost application: "
              + LogText.abbreviate(application)
              + "; lost: "
              + getLostApplications());
    }
  }

  @ManagedOperation(
      description =
          "Closes and reopens the websocket, or retries immediately if it is not open; resync"
              + " publishes missed events")
  public void reconnect() {
    if (statuses.get().isEmpty()) {
      throw new IllegalStateException("No websocket yet: the events route has not been started");
    }
    reconnect.run();
  }

  private <T> T attribute(Function<WebSocketStatus, T> getter, T defaultValue) {
    return statuses.get().stream().findFirst().map(getter).orElse(defaultValue);
  }
}
