// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.lanes;

import org.apache.camel.spi.Metadata;

/** Names of exchange properties of the lanes component. */
public final class LanesConstants {

  @Metadata(
      label = "producer",
      javaType = "String",
      description =
          "Key of the message's lane, as an exchange property. Each message without a key gets "
              + "its own lane.")
  public static final String LANE = "AriProxyLane";

  @Metadata(
      label = "producer",
      javaType = "String",
      description =
          "Group of the message, as an exchange property: messages of one group tend to hang "
              + "together. A message without a group is not limited.")
  public static final String GROUP = "AriProxyLaneGroup";

  @Metadata(
      label = "consumer",
      javaType = "io.retel.ariproxy.component.lanes.GroupActivity",
      description =
          "The message's hanging group, as an exchange property, if the message has waited for it "
              + "for groupTimeout and should be rejected.")
  public static final String HANGING_GROUP = "AriProxyLaneHangingGroup";

  @Metadata(
      label = "consumer",
      javaType = "Boolean",
      description =
          "Whether the message has its result, as an exchange property that a step can set: after "
              + "that, and after an exception, the message does not hang, even if it waits.")
  public static final String HAS_RESULT = "AriProxyLaneHasResult";

  @Metadata(
      label = "consumer",
      javaType = "Boolean",
      description =
          "Whether the message ends without a result, as an exchange property that a step can set: "
              + "if it took long, it hung, and so can the next ones of its lane.")
  public static final String NO_RESULT = "AriProxyLaneNoResult";

  @Metadata(
      label = "consumer",
      javaType = "Boolean",
      description =
          "True, as an exchange property, if the queue is full, and the message has waited for "
              + "groupTimeout behind one of its lane that hung, and should be rejected.")
  public static final String FOLLOWS_HANGING = "AriProxyLaneFollowsHanging";

  private LanesConstants() {}
}
