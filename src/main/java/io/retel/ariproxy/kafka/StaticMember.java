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
import org.apache.kafka.common.errors.GroupIdNotFoundException;

/** A member of a consumer group with a group instance id. */
final class StaticMember {

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final Properties adminProperties = new Properties();
  private final String group;
  private final String instance;

  /**
   * @param properties of its consumer
   */
  StaticMember(Properties properties) {
    this.group = properties.getProperty(ConsumerConfig.GROUP_ID_CONFIG);
    this.instance = properties.getProperty(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
    properties.forEach(
        (name, value) -> {
          if (AdminClientConfig.configNames().contains(name.toString())) {
            adminProperties.put(name, value);
          }
        });
  }

  /** Returns whether the group has no such member; false if Kafka does not respond. */
  boolean isAbsent() throws InterruptedException {
    try (Admin admin = Admin.create(adminProperties)) {
      return admin
          .describeConsumerGroups(List.of(group))
          .all()
          .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
          .values()
          .stream()
          .flatMap(description -> description.members().stream())
          .noneMatch(member -> member.groupInstanceId().equals(Optional.of(instance)));
    } catch (ExecutionException e) {
      return e.getCause() instanceof GroupIdNotFoundException;
    } catch (TimeoutException e) {
      return false;
    }
  }
}
