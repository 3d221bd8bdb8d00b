package io.retel.ariproxy.component.lanes;

import org.apache.camel.spi.Metadata;

/** Names that the lanes component reads from an exchange. */
public final class LanesConstants {

  @Metadata(
      label = "producer",
      javaType = "String",
      description =
          "The key whose lane the message takes. A message without it has a lane of its own. Set it as an exchange"
              + " property.")
  public static final String LANE = "AriProxyLane";

  private LanesConstants() {}
}
