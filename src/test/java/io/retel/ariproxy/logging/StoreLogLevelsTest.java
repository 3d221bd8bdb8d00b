// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.core.joran.spi.JoranException;
import java.io.ByteArrayInputStream;
import org.junit.jupiter.api.Test;

/** Stores set the levels of their drivers; a configuration can override them. */
class StoreLogLevelsTest {

  private static final String CONFIGURATION =
      """
      <configuration>
        <logger name="io.lettuce" level="ERROR"/>
        <contextListener class="io.retel.ariproxy.logging.StoreLogLevels"/>
        <logger name="com.datastax.oss.driver" level="OFF"/>
      </configuration>
      """;

  @Test
  void configurationOverridesLevels() throws JoranException {
    LoggerContext context = new LoggerContext();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    configurator.doConfigure(new ByteArrayInputStream(CONFIGURATION.getBytes(UTF_8)));
    assertThat(context.getLogger("io.lettuce").getLevel()).isEqualTo(Level.ERROR);
    assertThat(context.getLogger("com.datastax.oss.driver").getLevel()).isEqualTo(Level.OFF);
    assertThat(
            context.getLogger("com.datastax.oss.driver.internal.core.pool.ChannelPool").getLevel())
        .isEqualTo(Level.ERROR);
    context.stop();
  }
}
