package io.retel.ariproxy.component.ahcws;

import org.apache.camel.spi.Metadata;

/** Headers of messages that the websocket component creates. */
public final class AhcWsConstants {

  /** Its value when the websocket is open. */
  public static final String CONNECTED = "CONNECTED";

  /** Its value when the websocket is gone. */
  public static final String DISCONNECTED = "DISCONNECTED";

  @Metadata(
      label = "consumer",
      javaType = "String",
      description =
          "CONNECTED or DISCONNECTED on an exchange that tells of the connection and has no body"
              + " (`fireWebSocketConnectionEvents`); absent on a message.")
  public static final String EVENT = "CamelAhcWsEvent";

  private AhcWsConstants() {}
}
