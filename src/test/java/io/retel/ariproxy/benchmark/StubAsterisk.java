// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.net.impl.ConnectionBase;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A simulated Asterisk with minimal overhead: it sends events, as fast as they are read or at a
 * fixed rate, and responds to each command after {@value #RESPONSE_DELAY_MS} ms. It never responds
 * to commands for the channel {@code hangs}.
 */
final class StubAsterisk implements AutoCloseable {

  static final String USERNAME = "bench";
  static final String PASSWORD = "secret";
  static final String HANGING_CHANNEL = "hangs";
  static final String LARGE_CHANNEL = "large";

  /** Just below the default of {@code ari.max-response-body}. */
  private static final int LARGE_RESPONSE = 500 * 1024;

  private static final int RESPONSE_DELAY_MS = 2;

  /** responses for the resync after a connect: an Asterisk without channels */
  private static final Map<String, String> RESYNC_RESPONSES =
      Map.of(
          "/ari/asterisk/info",
              "{\"system\":{\"entity_id\":\"00:16:3e:aa:bb:cc\"},\"status\":{\"startup_time\":\"2026-11-25T10:00:00.000+0000\"}}",
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
  private final AtomicInteger hangingRequests = new AtomicInteger();
  private volatile ChannelHandlerContext websocket;
  private volatile Consumer<String> onAnswer = path -> {};
  private volatile @Nullable StubState state;

  StubAsterisk(String app) {
    events = new CallEvents(app);
    server = vertx.createHttpServer().requestHandler(this::handle);
    await(server.listen(0, "127.0.0.1").toCompletionStage().toCompletableFuture());
  }

  String url() {
    return "http://127.0.0.1:" + server.actualPort() + "/ari";
  }

  boolean isConnected() {
    ChannelHandlerContext open = websocket;
    return open != null && open.channel().isActive();
  }

  /** Sets the receiver of the paths of all requests that answer a call, on the server's thread. */
  void onAnswer(Consumer<String> receiver) {
    onAnswer = receiver;
  }

  /** The number of commands without a response. */
  int hangingRequests() {
    return hangingRequests.get();
  }

  /**
   * Sends the events of calls, starting with {@code firstCall}, as fast as they are read.
   *
   * @return completes when the last event is written
   */
  CompletableFuture<Void> flood(long firstCall, int count) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    long first = CallEvents.eventIndex(firstCall, 0);
    websocket.executor().execute(() -> flood(websocket, first, first + count, done));
    return done;
  }

  private void flood(
      ChannelHandlerContext connection, long next, long end, CompletableFuture<Void> done) {
    long position = next;
    while (position < end && connection.channel().isWritable()) {
      int count = (int) Math.min(100, end - position);
      connection.writeAndFlush(events.frames(position, count), connection.voidPromise());
      position += count;
    }
    if (position >= end) {
      done.complete(null);
    } else {
      long resumeAt = position;
      connection
          .executor()
          .schedule(() -> flood(connection, resumeAt, end, done), 200, TimeUnit.MICROSECONDS);
    }
  }

  /**
   * Sends one event.
   *
   * @param event its index among all events
   */
  void send(long event) {
    ChannelHandlerContext connection = websocket;
    connection.writeAndFlush(events.frames(event, 1), connection.voidPromise());
  }

  /** Has channels, bridges and playbacks after this. */
  void setState(StubState newState) {
    state = newState;
  }

  /** Sends an event as text. */
  void send(String event) {
    byte[] text = event.getBytes(StandardCharsets.US_ASCII);
    ChannelHandlerContext connection = websocket;
    // a final text frame, with a length of two or eight bytes
    ByteBuf frame = Unpooled.buffer(10 + text.length).writeByte(0x81);
    if (text.length <= 0xFFFF) {
      frame.writeByte(126).writeShort(text.length);
    } else {
      frame.writeByte(127).writeLong(text.length);
    }
    connection.writeAndFlush(frame.writeBytes(text), connection.voidPromise());
  }

  /** Closes the websocket, as a network failure does. */
  void disconnect() {
    websocket.close();
  }

  private void handle(HttpServerRequest request) {
    if (request.path().equals("/ari/events")) {
      request.toWebSocket().onSuccess(open -> onOpen(request, open));
      return;
    }
    StubState current = state;
    if (current != null && current.responds(request.path())) {
      current.onRequest(request.path());
      vertx.setTimer(
          RESPONSE_DELAY_MS,
          timerId ->
              request
                  .response()
                  .putHeader("Content-Type", "application/json")
                  .end(current.response(request.path()))
                  .onComplete(sent -> current.onResponse(request.path())));
      return;
    }
    String resyncResponse = RESYNC_RESPONSES.get(request.path());
    if (resyncResponse != null) {
      request.response().putHeader("Content-Type", "application/json").end(resyncResponse);
    } else if (request.path().contains(HANGING_CHANNEL)) {
      hangingRequests.incrementAndGet();
    } else {
      if (request.path().endsWith("/answer")) {
        onAnswer.accept(request.path());
      }
      vertx.setTimer(
          RESPONSE_DELAY_MS,
          timerId ->
              request
                  .response()
                  .putHeader("Server", "Asterisk/22.10.1")
                  .putHeader("Content-Type", "application/json")
                  .end(
                      Buffer.buffer(
                          request.path().contains(LARGE_CHANNEL)
                              ? "{\"value\":\"" + CallEvents.noise(LARGE_RESPONSE) + "\"}"
                              : "{\"value\":\"customer-17\"}")));
    }
  }

  private void onOpen(HttpServerRequest request, ServerWebSocket open) {
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
