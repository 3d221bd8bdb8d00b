// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeConsumerGroupsOptions;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;

/** The operations that Kafka's ACLs must permit the proxy (docs/security.md#acls). Immutable. */
public final class KafkaPermissions {

  private final Supplier<String> principal;
  private final Set<String> published;
  private final Set<String> consumed;
  private final List<String> groups;

  /**
   * @param principal the proxy's name in ACLs; queried for each sentence
   * @param published topics that the proxy publishes to
   * @param consumed topics that the proxy consumes in a group
   * @param groups the groups
   */
  public KafkaPermissions(
      Supplier<String> principal,
      Collection<String> published,
      Collection<String> consumed,
      Collection<String> groups) {
    this.principal = principal;
    this.published = Set.copyOf(published);
    this.consumed = Set.copyOf(consumed);
    this.groups = List.copyOf(groups);
  }

  /** Returns the required operations that the ACLs do not permit. */
  List<String> missing(
      Admin admin, Collection<RequiredTopic> topics, Map<String, TopicDescription> descriptions)
      throws InterruptedException {
    List<String> missing = new ArrayList<>(missing(topics, descriptions));
    if (!groups.isEmpty()) {
      Map<String, KafkaFuture<ConsumerGroupDescription>> described =
          admin
              .describeConsumerGroups(
                  groups, new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true))
              .describedGroups();
      for (String group : groups) {
        if (!canRead(Objects.requireNonNull(described.get(group)))) {
          missing.add(missing(AclOperation.READ, ResourceType.GROUP, group));
        }
      }
    }
    return missing;
  }

  /** Returns the required operations on topics that the ACLs do not permit. */
  List<String> missing(
      Collection<RequiredTopic> topics, Map<String, TopicDescription> descriptions) {
    return topics.stream()
        .flatMap(topic -> notPermitted(required(topic), topic, descriptions).stream())
        .toList();
  }

  /** Returns the operations that the ACLs do not permit of a topic that cannot be described. */
  List<String> missingOfUndescribed(RequiredTopic topic) {
    return required(topic).stream()
        .map(operation -> missing(operation, ResourceType.TOPIC, topic.name()))
        .toList();
  }

  /**
   * Returns the operations without which the proxy works, but the ACLs do not permit.
   *
   * @param isCreator whether the proxy creates topics
   */
  List<String> missingOptional(
      Collection<RequiredTopic> topics,
      Map<String, TopicDescription> descriptions,
      boolean isCreator) {
    return topics.stream()
        .flatMap(
            topic -> {
              Set<AclOperation> operations = EnumSet.of(AclOperation.DESCRIBE_CONFIGS);
              if (isCreator) {
                operations.add(AclOperation.ALTER);
              }
              if (isCreator && topic.isCompacted()) {
                operations.add(AclOperation.ALTER_CONFIGS);
              }
              return notPermitted(operations, topic, descriptions).stream();
            })
        .toList();
  }

  private Set<AclOperation> required(RequiredTopic topic) {
    Set<AclOperation> operations = EnumSet.noneOf(AclOperation.class);
    if (topic.isCompacted() || consumed.contains(topic.name())) {
      operations.add(AclOperation.READ);
    }
    if (topic.isCompacted() || published.contains(topic.name())) {
      operations.add(AclOperation.WRITE);
    }
    return operations;
  }

  private static List<String> notPermitted(
      Set<AclOperation> operations,
      RequiredTopic topic,
      Map<String, TopicDescription> descriptions) {
    TopicDescription description = descriptions.get(topic.name());
    Set<AclOperation> permitted = description == null ? null : description.authorizedOperations();
    return operations.stream()
        .filter(operation -> !permits(permitted, operation))
        .map(operation -> missing(operation, ResourceType.TOPIC, topic.name()))
        .toList();
  }

  /** A service compatible with Kafka can omit the operations: then they count as permitted. */
  private static boolean permits(@Nullable Set<AclOperation> permitted, AclOperation operation) {
    return permitted == null || permitted.isEmpty() || permitted.contains(operation);
  }

  private static boolean canRead(KafkaFuture<ConsumerGroupDescription> group)
      throws InterruptedException {
    try {
      return permits(group.get().authorizedOperations(), AclOperation.READ);
    } catch (ExecutionException e) {
      // others, such as a group that does not exist yet, show no operations
      return !(e.getCause() instanceof GroupAuthorizationException);
    }
  }

  /** Returns a missing ACL in Kafka's words, such as {@code Write on topic events}. */
  static String missing(AclOperation operation, ResourceType resource, String name) {
    StringBuilder words = new StringBuilder();
    Stream.of(operation.name().split("_"))
        .forEach(
            word ->
                words.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT)));
    return words + " on " + resource.name().toLowerCase(Locale.ROOT) + " " + name;
  }

  /** Returns a sentence about missing ACLs. */
  String sentence(Collection<String> missing) {
    return "ACLs missing for %s: %s (docs/security.md#acls)"
        .formatted(principal.get(), String.join(", ", missing));
  }
}
