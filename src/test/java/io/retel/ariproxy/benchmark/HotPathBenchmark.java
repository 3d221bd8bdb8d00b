// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.benmanes.caffeine.cache.Ticker;
import io.retel.ariproxy.ari.AriEvent;
import io.retel.ariproxy.callcontext.CallContextRules;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappedEvent;
import io.retel.ariproxy.command.Command;
import io.retel.ariproxy.command.CommandParser;
import io.retel.ariproxy.command.RecordPosition;
import io.retel.ariproxy.config.EventResourcesFormat;
import io.retel.ariproxy.envelope.Envelopes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Benchmarks each step of the proxy's own code on the path of an event and of a command. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class HotPathBenchmark {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String text = new CallEvents("bench").text(3 * CallEvents.OVERLAPPING_CALLS);
  private final CallContexts callContexts =
      new CallContexts(Duration.ofDays(1), Duration.ofMinutes(1), Ticker.systemTicker());
  private final CallContextRules rules = new CallContextRules(callContexts);
  private final Envelopes envelopes = new Envelopes("commands", EventResourcesFormat.ARRAY);
  private final CommandParser reader = new CommandParser(callContexts);
  private final RecordPosition origin = new RecordPosition("commands", 0, 1, "call", Instant.EPOCH);
  private final byte[] command =
      ("{\"callContext\":\"call\",\"commandId\":\"1\",\"ariCommand\":{\"method\":\"POST\","
              + "\"url\":\"/channels/1764000000.000000000/play?media=sound:beep\",\"body\":null}}")
          .getBytes(StandardCharsets.UTF_8);
  private final AriEvent event = AriEvent.parse(text);
  private final MappedEvent mapped;

  /** First maps the channel to a call, as is the case for nine of ten events. */
  public HotPathBenchmark() {
    rules.map(AriEvent.parse(new CallEvents("bench").text(0)));
    mapped = rules.map(event);
  }

  static void run() throws RunnerException {
    new Runner(new OptionsBuilder().include(HotPathBenchmark.class.getSimpleName()).build()).run();
  }

  /** Jackson only, for comparison. */
  @Benchmark
  public JsonNode jacksonBaseline() throws IOException {
    return JSON.readTree(text);
  }

  @Benchmark
  public AriEvent parseEvent() {
    return AriEvent.parse(text);
  }

  @Benchmark
  public MappedEvent resolveCallContext() {
    return rules.map(event);
  }

  @Benchmark
  public byte[] buildEventEnvelope() {
    return envelopes.event(mapped, mapped.callContexts());
  }

  @Benchmark
  public Command parseCommand() {
    return reader.parse(origin, command);
  }
}
