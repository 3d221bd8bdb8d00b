// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.kafka.StaticMember.Presence;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a member of a group whose broker does not respond. */
class StaticMemberTest {

  @ParameterizedTest
  @ValueSource(strings = {"broker.invalid:9092", "localhost:1"})
  void presenceIsUnknownWithoutKafka(String broker) throws Exception {
    Properties properties = new Properties();
    properties.setProperty(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    properties.setProperty(ConsumerConfig.GROUP_ID_CONFIG, "group");
    properties.setProperty(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, "instance");

    assertThat(new StaticMember(properties).presence()).isEqualTo(Presence.UNKNOWN);
  }
}
