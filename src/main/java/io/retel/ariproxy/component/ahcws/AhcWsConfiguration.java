// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.net.URI;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriParams;
import org.apache.camel.support.jsse.SSLContextParameters;
import org.jspecify.annotations.Nullable;

/** Options of a websocket connection. Times are in milliseconds, sizes in bytes. */
@UriParams
public class AhcWsConfiguration implements Cloneable {

  private Function<Throwable, Optional<String>> tlsErrorDescriber = cause -> Optional.empty();
  private Function<URI, Optional<String>> authorization = uri -> Optional.empty();

  @UriParam(
      label = "consumer",
      defaultValue = "16777216",
      description =
          "Maximum message size in bytes, all fragments together. A larger message is lost: it "
              + "is logged as an error and the websocket is reopened.")
  private int maxMessageSize = 16 * 1024 * 1024;

  @UriParam(
      label = "consumer",
      defaultValue = "67108864",
      description =
          "Bytes of messages buffered for the route before reads from the socket pause. "
              + "Messages already decoded are still accepted.")
  private long bufferSize = 64L * 1024 * 1024;

  @UriParam(
      label = "consumer",
      description =
          "Whether the route also receives an exchange without body when the websocket connects "
              + "or disconnects, in order with the messages. The header CamelAhcWsEvent has the "
              + "event.")
  private boolean fireWebSocketConnectionEvents;

  @UriParam(
      label = "consumer",
      defaultValue = "5000",
      javaType = "java.time.Duration",
      description = "Timeout of the TCP connect, and of the response to the upgrade.")
  private long connectTimeout = 5_000;

  @UriParam(
      label = "consumer",
      defaultValue = "250",
      javaType = "java.time.Duration",
      description = "Delay before the first reconnect. It doubles with each failure, with jitter.")
  private long reconnectInitialDelay = 250;

  @UriParam(
      label = "consumer",
      defaultValue = "15000",
      javaType = "java.time.Duration",
      description = "Maximum delay between reconnects.")
  private long reconnectMaximumDelay = 15_000;

  @UriParam(
      label = "consumer",
      defaultValue = "60000",
      javaType = "java.time.Duration",
      description =
          "Maximum delay between reconnects while the server rejects the upgrade with a client "
              + "error such as 401, 403 or 404, which retries do not fix.")
  private long refusedMaximumDelay = 60_000;

  @UriParam(
      label = "consumer",
      defaultValue = "10000",
      javaType = "java.time.Duration",
      description = "Interval between pings; 0 disables them.")
  private long pingInterval = 10_000;

  @UriParam(
      label = "consumer",
      defaultValue = "10000",
      javaType = "java.time.Duration",
      description =
          "Time after a ping without data from the server before the websocket is reopened.")
  private long pongTimeout = 10_000;

  @UriParam(
      label = "security",
      description = "User name for basic authentication, sent as a header with the upgrade.")
  private @Nullable String username;

  @UriParam(label = "security", secret = true, description = "Password for basic authentication.")
  private @Nullable String password;

  @UriParam(label = "security", description = "TLS settings for ahc-wss.")
  private @Nullable SSLContextParameters sslContextParameters;

  AhcWsConfiguration copy() {
    try {
      return (AhcWsConfiguration) clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether both configurations open the same connection. */
  boolean hasSameConnectionOptions(AhcWsConfiguration other) {
    return maxMessageSize == other.maxMessageSize
        && bufferSize == other.bufferSize
        && fireWebSocketConnectionEvents == other.fireWebSocketConnectionEvents
        && connectTimeout == other.connectTimeout
        && reconnectInitialDelay == other.reconnectInitialDelay
        && reconnectMaximumDelay == other.reconnectMaximumDelay
        && refusedMaximumDelay == other.refusedMaximumDelay
        && pingInterval == other.pingInterval
        && pongTimeout == other.pongTimeout
        && Objects.equals(username, other.username)
        && Objects.equals(password, other.password)
        && sslContextParameters == other.sslContextParameters;
  }

  public int getMaxMessageSize() {
    return maxMessageSize;
  }

  public void setMaxMessageSize(int maxMessageSize) {
    this.maxMessageSize = maxMessageSize;
  }

  public long getBufferSize() {
    return bufferSize;
  }

  public void setBufferSize(long bufferSize) {
    this.bufferSize = bufferSize;
  }

  public boolean isFireWebSocketConnectionEvents() {
    return fireWebSocketConnectionEvents;
  }

  public void setFireWebSocketConnectionEvents(boolean fireWebSocketConnectionEvents) {
    this.fireWebSocketConnectionEvents = fireWebSocketConnectionEvents;
  }

  public long getConnectTimeout() {
    return connectTimeout;
  }

  public void setConnectTimeout(long connectTimeout) {
    this.connectTimeout = connectTimeout;
  }

  public long getReconnectInitialDelay() {
    return reconnectInitialDelay;
  }

  public void setReconnectInitialDelay(long reconnectInitialDelay) {
    this.reconnectInitialDelay = reconnectInitialDelay;
  }

  public long getReconnectMaximumDelay() {
    return reconnectMaximumDelay;
  }

  public void setReconnectMaximumDelay(long reconnectMaximumDelay) {
    this.reconnectMaximumDelay = reconnectMaximumDelay;
  }

  public long getRefusedMaximumDelay() {
    return refusedMaximumDelay;
  }

  public void setRefusedMaximumDelay(long refusedMaximumDelay) {
    this.refusedMaximumDelay = refusedMaximumDelay;
  }

  public long getPingInterval() {
    return pingInterval;
  }

  public void setPingInterval(long pingInterval) {
    this.pingInterval = pingInterval;
  }

  public long getPongTimeout() {
    return pongTimeout;
  }

  public void setPongTimeout(long pongTimeout) {
    this.pongTimeout = pongTimeout;
  }

  public @Nullable String getUsername() {
    return username;
  }

  public void setUsername(@Nullable String username) {
    this.username = username;
  }

  public @Nullable String getPassword() {
    return password;
  }

  public void setPassword(@Nullable String password) {
    this.password = password;
  }

  public @Nullable SSLContextParameters getSslContextParameters() {
    return sslContextParameters;
  }

  public void setSslContextParameters(@Nullable SSLContextParameters sslContextParameters) {
    this.sslContextParameters = sslContextParameters;
  }

  /** Returns the value of the header {@code Authorization}, if the endpoint has no user name. */
  public Function<URI, Optional<String>> getAuthorization() {
    return authorization;
  }

  public void setAuthorization(Function<URI, Optional<String>> authorization) {
    this.authorization = authorization;
  }

  /** Describes TLS errors of a failed connect; empty if the cause is not a TLS error. */
  public Function<Throwable, Optional<String>> getTlsErrorDescriber() {
    return tlsErrorDescriber;
  }

  public void setTlsErrorDescriber(Function<Throwable, Optional<String>> tlsErrorDescriber) {
    this.tlsErrorDescriber = tlsErrorDescriber;
  }
}
