// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import org.apache.camel.spi.Metadata;

/** Names of exchange properties that the lanes component reads. */
public final class LanesConstants {

  @Metadata(
      label = "producer",
      javaType = "String",
      description =
          "Key of the message's lane, as an exchange property. Each message without a key gets "
              + "its own lane.")
  public static final String LANE = "AriProxyLane";

  private LanesConstants() {}
}
