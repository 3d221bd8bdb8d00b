// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Checks that the events of a flood arrive exactly once, in order, one at a time. */
final class FloodSink implements Processor {

  private static final Pattern SEQUENCE = Pattern.compile("\"sequence\":\"(\\d+)\"");

  private final AtomicBoolean processing = new AtomicBoolean();
  private final AtomicLong nextSequence = new AtomicLong();
  private final List<String> errors = new CopyOnWriteArrayList<>();

  @Override
  public void process(Exchange exchange) {
    if (!processing.compareAndSet(false, true)) {
      errors.add("concurrent messages after " + nextSequence);
    }
    Matcher matcher = SEQUENCE.matcher(exchange.getMessage().getBody(String.class));
    if (matcher.find()) {
      long sequence = Long.parseLong(matcher.group(1));
      long expected = nextSequence.getAndSet(sequence + 1);
      if (sequence != expected) {
        errors.add(sequence + " instead of " + expected);
      }
    }
    processing.set(false);
  }

  /** Number of events received, if none is missing. */
  long count() {
    return nextSequence.get();
  }

  void awaitAll(long count) {
    await().until(() -> count() >= count || !errors.isEmpty());
    assertThat(errors).isEmpty();
    assertThat(count()).isEqualTo(count);
  }
}
