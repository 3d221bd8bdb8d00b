package io.retel.ariproxy.benchmark;

import io.netty.channel.ChannelHandlerContext;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.net.impl.ConnectionBase;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An Asterisk that costs as little as possible beside what is measured: it sends events, as fast as
 * they are read or at a pace, and answers each command after {@value #ANSWER_MS} ms, but those of a
 * channel called {@code hangs}, which it never answers.
 */
final class BusyAsterisk implements AutoCloseable {

  static final String USERNAME = "bench";
  static final String PASSWORD = "secret";
  static final String HANGING = "hangs";

  private static final int ANSWER_MS = 2;

  /** What a client asks for when it has connected: an Asterisk with nothing in it. */
  private static final Map<String, String> AT_THE_CONNECT =
      Map.of(
          "/ari/asterisk/info", "{\"status\":{\"startup_time\":\"2026-11-25T10:00:00.000+0000\"}}",
          "/ari/asterisk/ping", "{\"ping\":\"pong\"}",
          "/ari/applications", "[]",
          "/ari/channels", "[]",
          "/ari/bridges", "[]");

  private final Vertx vertx =
      Vertx.vertx(
          new VertxOptions()
              .setEventLoopPoolSize(1)
              .setWorkerPoolSize(1)
              .setInternalBlockingPoolSize(1));
  private final HttpServer server;
  private final CallEvents events;
  private final AtomicInteger hanging = new AtomicInteger();
  private volatile ChannelHandlerContext websocket;

  BusyAsterisk(String app) {
    events = new CallEvents(app);
    server = vertx.createHttpServer().requestHandler(this::answer);
    await(server.listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture());
  }

  String url() {
    return "http://127.0.0.1:" + server.actualPort() + "/ari";
  }

  boolean isConnected() {
    ChannelHandlerContext open = websocket;
    return open != null && open.channel().isActive();
  }

  /** How many commands have been left without an answer. */
  int hanging() {
    return hanging.get();
  }

  /**
   * Sends the events of the calls from {@code firstCall} on, as fast as they are read.
   *
   * @return done when the last one is written
   */
  CompletableFuture<Void> flood(long firstCall, int count) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    long first = CallEvents.eventOf(firstCall, 0);
    websocket.executor().execute(() -> flood(websocket, first, first + count, done));
    return done;
  }

  private void flood(ChannelHandlerContext to, long next, long end, CompletableFuture<Void> done) {
    long at = next;
    while (at < end && to.channel().isWritable()) {
      int count = (int) Math.min(100, end - at);
      to.writeAndFlush(events.frames(at, count), to.voidPromise());
      at += count;
    }
    if (at >= end) {
      done.complete(null);
    } else {
      long rest = at;
      to.executor().schedule(() -> flood(to, rest, end, done), 200, TimeUnit.MICROSECONDS);
    }
  }

  /**
   * Sends one event.
   *
   * @param event its number among all events
   */
  void send(long event) {
    ChannelHandlerContext to = websocket;
    to.writeAndFlush(events.frames(event, 1), to.voidPromise());
  }

  private void answer(HttpServerRequest request) {
    if (request.path().equals("/ari/events")) {
      request.toWebSocket().onSuccess(open -> opened(request, open));
      return;
    }
    String listed = AT_THE_CONNECT.get(request.path());
    if (listed != null) {
      request.response().putHeader("Content-Type", "application/json").end(listed);
    } else if (request.path().contains(HANGING)) {
      hanging.incrementAndGet();
    } else {
      vertx.setTimer(
          ANSWER_MS,
          now ->
              request
                  .response()
                  .putHeader("Server", "Asterisk/22.10.1")
                  .putHeader("Content-Type", "application/json")
                  .end(Buffer.buffer("{\"value\":\"customer-17\"}")));
    }
  }

  private void opened(HttpServerRequest request, ServerWebSocket open) {
    open.exceptionHandler(ignored -> {});
    websocket = ((ConnectionBase) request.connection()).channelHandlerContext();
  }

  @Override
  public void close() {
    await(vertx.close().toCompletionStage().toCompletableFuture());
  }

  private static <T> T await(CompletableFuture<T> future) {
    return future.orTimeout(Duration.ofSeconds(30).toMillis(), TimeUnit.MILLISECONDS).join();
  }
}
