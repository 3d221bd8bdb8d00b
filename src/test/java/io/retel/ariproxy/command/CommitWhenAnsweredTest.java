package io.retel.ariproxy.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.retel.ariproxy.fixtures.kafka.FakeOffset;
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

/** When a command's offset is marked as answered, and what is counted then. */
class CommitWhenAnsweredTest {

  private final DefaultCamelContext context = new DefaultCamelContext();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final FakeOffset offset = new FakeOffset();

  @AfterEach
  void stop() {
    context.stop();
  }

  @Test
  void whatIsAnsweredIsMarked() {
    ends(null);
    assertThat(offset.committed()).isOne();
    assertThat(Meters.COMMANDS_ANSWERED.in(meters).count()).isEqualTo(1);
  }

  @Test
  void nothingIsMarkedBeforeTheEnd() {
    begins();
    assertThat(offset.committed()).isZero();
  }

  @Test
  void whatCanNeverBeAnsweredIsMarkedAndCounted() {
    ends(new TopicAuthorizationException("not allowed"));
    assertThat(offset.committed()).isOne();
    assertThat(Meters.COMMANDS_UNANSWERED.in(meters).count()).isEqualTo(1);
    assertThat(Meters.COMMANDS_ANSWERED.in(meters).count()).isZero();
  }

  @Test
  void whatAStopOfTheProxyInterruptsIsLeftForWhoeverReadsItNext() throws Exception {
    context.addService(
        new ServiceSupport() {
          @Override
          protected void doStop() {
            ends(new InterruptedException());
            ends(new RejectedExecutionException());
            ends(new IllegalStateException());
          }
        });
    context.start();
    context.stop();
    assertThat(offset.committed()).isZero();
    assertThat(Meters.COMMANDS_UNANSWERED.in(meters).count()).isZero();
  }

  @Test
  void whatAnEditInterruptsBeforeItIsBegunIsReadAgain() {
    ends(new InterruptedException());
    ends(new RejectedExecutionException());
    assertThat(offset.committed()).isZero();
    assertThat(Meters.COMMANDS_UNANSWERED.in(meters).count()).isZero();
  }

  @Test
  void whatIsLeftAndThenInterruptedIsNotMarked() {
    offset.leave();
    ends(new RejectedExecutionException());
    ends(new IllegalStateException());
    assertThat(offset.committed()).isZero();
    assertThat(Meters.COMMANDS_LEFT.in(meters).count()).isEqualTo(2);
  }

  @Test
  void whatIsLeftToAnotherReaderIsNotMarkedAndCounted() {
    offset.leave();
    ends(null);
    assertThat(offset.committed()).isZero();
    assertThat(Meters.COMMANDS_LEFT.in(meters).count()).isEqualTo(1);
    assertThat(Meters.COMMANDS_ANSWERED.in(meters).count()).isZero();
  }

  private void ends(Exception failure) {
    Exchange exchange = begins();
    exchange.setException(failure);
    UnitOfWorkHelper.doneSynchronizations(
        exchange, exchange.getExchangeExtension().handoverCompletions());
  }

  private Exchange begins() {
    Exchange exchange = new DefaultExchange(context);
    exchange.getMessage().setHeader(KafkaConstants.MANUAL_COMMIT, offset);
    new CommitWhenAnswered(meters, null).process(exchange);
    return exchange;
  }
}
