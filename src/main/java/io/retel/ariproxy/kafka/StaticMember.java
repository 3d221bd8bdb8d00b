// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.errors.InterruptException;

/** A member of a consumer group with a group instance id. */
final class StaticMember {

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** Whether the group has such a member. */
  enum Presence {
    PRESENT,
    ABSENT,
    /** Kafka does not respond. */
    UNKNOWN
  }

  private final Properties adminProperties;
  private final String group;
  private final String instance;

  /**
   * @param properties of its consumer
   */
  StaticMember(Properties properties) {
    this.group = properties.getProperty(ConsumerConfig.GROUP_ID_CONFIG);
    this.instance = properties.getProperty(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    this.adminProperties = KafkaClientConfig.adminProperties(properties);
    // closing a client waits for its requests
    int timeout = (int) TIMEOUT.toMillis();
    adminProperties.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, timeout);
    adminProperties.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
  }

  /** Asks Kafka whether the group has such a member, for up to twice {@link #TIMEOUT}. */
  Presence presence() throws InterruptedException {
    try (Admin admin = Admin.create(adminProperties)) {
      boolean isPresent =
          admin
              .describeConsumerGroups(List.of(group))
              .all()
              .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
              .values()
              .stream()
              .flatMap(description -> description.members().stream())
              .anyMatch(member -> member.groupInstanceId().equals(Optional.of(instance)));
      return isPresent ? Presence.PRESENT : Presence.ABSENT;
    } catch (ExecutionException e) {
      return e.getCause() instanceof GroupIdNotFoundException ? Presence.ABSENT : Presence.UNKNOWN;
    } catch (InterruptException e) {
      throw e;
    } catch (TimeoutException | KafkaException e) {
      // a client cannot be created while no name of a broker can be resolved
      return Presence.UNKNOWN;
    }
  }
}
