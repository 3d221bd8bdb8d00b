// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.TopicConfig;
import org.junit.jupiter.api.Test;

class KafkaPermissionsTest {

  private static final RequiredTopic EVENTS = new RequiredTopic("events", 1, Map.of(), true);
  private static final RequiredTopic COMMANDS = new RequiredTopic("commands", 1, Map.of(), false);
  private static final RequiredTopic STORE =
      new RequiredTopic(
          "store",
          1,
          Map.of(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT),
          false);

  private final KafkaPermissions permissions =
      new KafkaPermissions(() -> "User:proxy", List.of("events"), List.of("commands"), List.of());

  @Test
  void namesMissingOperations() {
    assertThat(
            missing(
                Map.of(
                    "events", described("events", Set.of(AclOperation.DESCRIBE)),
                    "commands", described("commands", Set.of(AclOperation.WRITE)),
                    "store", described("store", Set.of(AclOperation.READ)))))
        .containsExactly("Write on topic events", "Read on topic commands", "Write on topic store");
    assertThat(permissions.missingOfUndescribed(STORE))
        .containsExactly("Read on topic store", "Write on topic store");
    assertThat(permissions.sentence(List.of("Read on topic a", "Write on topic b")))
        .isEqualTo(
            "ACLs missing for User:proxy: Read on topic a, Write on topic b (docs/security.md#acls)");
  }

  @Test
  void acceptsOperationsThatKafkaDoesNotReturn() {
    assertThat(missing(Map.of("events", described("events", null)))).isEmpty();
    assertThat(missing(Map.of("events", described("events", Set.of())))).isEmpty();
  }

  @Test
  void requiresOperationsOfCreatorOnlyIfProxyCreatesTopics() {
    Map<String, TopicDescription> described =
        Map.of("store", described("store", Set.of(AclOperation.READ, AclOperation.WRITE)));
    assertThat(permissions.missingOptional(List.of(STORE), described, true))
        .containsExactlyInAnyOrder(
            "Alter on topic store",
            "AlterConfigs on topic store",
            "DescribeConfigs on topic store");
    assertThat(permissions.missingOptional(List.of(STORE), described, false))
        .containsExactly("DescribeConfigs on topic store");
  }

  private List<String> missing(Map<String, TopicDescription> descriptions) {
    return permissions.missing(List.of(EVENTS, COMMANDS, STORE), descriptions);
  }

  private static TopicDescription described(String topic, Set<AclOperation> permitted) {
    return new TopicDescription(topic, false, List.of(), permitted);
  }
}
