// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.envelope.CommandResult;
import io.retel.ariproxy.fixtures.kafka.FakeCommandHandle;
import io.retel.ariproxy.metrics.Meters;
import java.util.concurrent.RejectedExecutionException;
import org.apache.camel.Exchange;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.support.DefaultExchange;
import org.apache.camel.support.UnitOfWorkHelper;
import org.apache.camel.support.service.ServiceSupport;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tests when a command's offset is committed, and which counters increase. */
class CommitOnResponseTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final FakeCommandHandle handle = new FakeCommandHandle();

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void commitsOnResponse() {
    complete(null);
    assertThat(handle.committed()).isOne();
    assertThat(Meters.COMMANDS_COMPLETED.counter(meters).count()).isEqualTo(1);
  }

  /** Such as by a stop step. */
  @Test
  void countsCommandThatRouteEndsWithoutResponse() {
    Exchange exchange = start();
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
    assertThat(handle.committed()).isOne();
    assertThat(Meters.RESPONSES_LOST.counter(meters).count()).isEqualTo(1);
    assertThat(Meters.COMMANDS_COMPLETED.counter(meters).count()).isZero();
  }

  @Test
  void commitsNothingBeforeCompletion() {
    start();
    assertThat(handle.committed()).isZero();
  }

  @Test
  void commitsAndCountsLostResponse() {
    complete(new TopicAuthorizationException("not allowed"));
    assertThat(handle.committed()).isOne();
    assertThat(Meters.RESPONSES_LOST.counter(meters).count()).isEqualTo(1);
    assertThat(Meters.COMMANDS_COMPLETED.counter(meters).count()).isZero();
  }

  @Test
  void doesNotCommitCommandInterruptedByShutdown() throws Exception {
    context.addService(
        new ServiceSupport() {
          @Override
          protected void doStop() {
            complete(new InterruptedException());
            complete(new RejectedExecutionException());
            complete(new IllegalStateException());
          }
        });
    context.start();
    context.stop();
    assertThat(handle.committed()).isZero();
    assertThat(Meters.RESPONSES_LOST.counter(meters).count()).isZero();
  }

  @Test
  void doesNotCommitCommandInterruptedBeforeStart() {
    complete(new InterruptedException());
    complete(new RejectedExecutionException());
    assertThat(handle.committed()).isZero();
    assertThat(Meters.RESPONSES_LOST.counter(meters).count()).isZero();
  }

  @Test
  void doesNotCommitReleasedAndInterruptedCommand() {
    handle.release();
    complete(new RejectedExecutionException());
    complete(new IllegalStateException());
    assertThat(handle.committed()).isZero();
    assertThat(Meters.COMMANDS_RELEASED.counter(meters).count()).isEqualTo(2);
  }

  @Test
  void countsReleasedCommandWithoutCommit() {
    handle.release();
    complete(null);
    assertThat(handle.committed()).isZero();
    assertThat(Meters.COMMANDS_RELEASED.counter(meters).count()).isEqualTo(1);
    assertThat(Meters.COMMANDS_COMPLETED.counter(meters).count()).isZero();
  }

  private void complete(Exception failure) {
    Exchange exchange = start();
    exchange.setProperty(
        CommandProperties.RESULT,
        new CommandResult.Failure(403, "no", CommandResult.Outcome.NOT_SENT));
    exchange.setException(failure);
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }

  private Exchange start() {
    Exchange exchange = new DefaultExchange(context);
    exchange.getMessage().setHeader(KafkaConstants.MANUAL_COMMIT, handle);
    new CommitOnResponse(meters, null).process(exchange);
    return exchange;
  }
}
