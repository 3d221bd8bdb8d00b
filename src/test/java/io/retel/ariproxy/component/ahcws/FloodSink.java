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

/** Checks that the events of a flood arrive one at a time, in order, each of them once. */
final class FloodSink implements Processor {

  private static final Pattern SEQUENCE = Pattern.compile("\"sequence\":\"(\\d+)\"");

  private final AtomicBoolean inside = new AtomicBoolean();
  private final AtomicLong next = new AtomicLong();
  private final List<String> faults = new CopyOnWriteArrayList<>();

  @Override
  public void process(Exchange exchange) {
    if (!inside.compareAndSet(false, true)) {
      faults.add("two at once after " + next);
    }
    Matcher matcher = SEQUENCE.matcher(exchange.getMessage().getBody(String.class));
    if (matcher.find()) {
      long sequence = Long.parseLong(matcher.group(1));
      long expected = next.getAndSet(sequence + 1);
      if (sequence != expected) {
        faults.add(sequence + " instead of " + expected);
      }
    }
    inside.set(false);
  }

  /** How many have arrived, if none is missing. */
  long count() {
    return next.get();
  }

  void awaitAll(long count) {
    await().until(() -> count() >= count || !faults.isEmpty());
    assertThat(faults).isEmpty();
    assertThat(count()).isEqualTo(count);
  }
}
