// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import org.apache.camel.spi.Metadata;

/** Headers set by the websocket component. */
public final class AhcWsConstants {

  /** Value of {@link #EVENT} when the websocket has connected. */
  public static final String CONNECTED = "CONNECTED";

  /** Value of {@link #EVENT} when the websocket has disconnected. */
  public static final String DISCONNECTED = "DISCONNECTED";

  @Metadata(
      label = "consumer",
      javaType = "String",
      description =
          "CONNECTED, DISCONNECTED or a value of AhcWsComponent.fireConnectionEvent on an exchange "
              + "without body (`fireWebSocketConnectionEvents`); absent on a message.")
  public static final String EVENT = "CamelAhcWsEvent";

  @Metadata(
      label = "consumer",
      javaType = "Long",
      description =
          "System.nanoTime() of the connect or disconnect, for durations. The header "
              + "`CamelMessageTimestamp` has the time of day.")
  public static final String EVENT_NANO_TIME = "CamelAhcWsEventNanoTime";

  private AhcWsConstants() {}
}
