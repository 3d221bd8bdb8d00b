// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.retel.ariproxy.ari.AriOperations;
import io.retel.ariproxy.metrics.Meters;
import io.retel.ariproxy.metrics.TaggedMeters;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.classic.ExecChainHandler;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;

/**
 * Measures all ARI requests on the wire, both from commands and from the proxy itself.
 *
 * <p>Tags are ARI's path templates: ids or queries would create a meter for each call.
 */
final class RequestMetricsInterceptor implements ExecChainHandler {

  private static final String OTHER = "other";

  private final String basePath;
  private final TaggedMeters<Operation, OperationMeters> metersByOperation;

  /**
   * An operation.
   *
   * @param method the HTTP method
   * @param path its path's template, or {@code other}
   */
  private record Operation(String method, String path) {}

  /**
   * @param basePath the path of ari.url, like {@code /ari}
   */
  RequestMetricsInterceptor(String basePath, MeterRegistry meters) {
    this.basePath = basePath;
    this.metersByOperation =
        new TaggedMeters<>(
            operation -> new OperationMeters(operation, meters), new Operation(OTHER, OTHER));
  }

  @Override
  public ClassicHttpResponse execute(
      ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
      throws IOException, HttpException {
    OperationMeters meters =
        metersByOperation.get(operation(request.getMethod(), request.getPath()));
    meters.requests.increment();
    long startNanos = System.nanoTime();
    try {
      ClassicHttpResponse response = chain.proceed(request, scope);
      int status = response.getCode();
      if (status >= 400) {
        meters.errors.get(status < 500 ? "4xx" : "5xx").increment();
      }
      return response;
    } catch (IOException | HttpException | RuntimeException e) {
      meters.errors.get(ConnectFailures.includes(e) ? "not_reached" : "no_answer").increment();
      throw e;
    } finally {
      meters.duration.record(System.nanoTime() - startNanos, TimeUnit.NANOSECONDS);
    }
  }

  private Operation operation(String method, String pathAndQuery) {
    String path = pathAndQuery;
    int queryStart = path.indexOf('?');
    if (queryStart >= 0) {
      path = path.substring(0, queryStart);
    }
    if (path.startsWith(basePath)) {
      path = path.substring(basePath.length());
    }
    // segment values are not used, so they are not decoded
    return path.length() < 2
        ? new Operation(method, OTHER)
        : AriOperations.find(method, Arrays.asList(path.substring(1).split("/", -1)))
            .operation()
            .map(known -> new Operation(method, known.path()))
            .orElse(new Operation(method, OTHER));
  }

  /** The meters of one operation. */
  private static final class OperationMeters {

    private final Counter requests;
    private final Timer duration;
    private final TaggedMeters<String, Counter> errors;

    OperationMeters(Operation operation, MeterRegistry meters) {
      String method = operation.method();
      String path = operation.path();
      requests = Meters.OUTGOING_REQUESTS.counter(meters, method, path);
      duration = Meters.OUTGOING_REQUESTS_DURATION.timer(meters, method, path);
      errors =
          new TaggedMeters<>(
              error -> Meters.OUTGOING_REQUESTS_ERRORS.counter(meters, method, path, error), OTHER);
    }
  }
}
