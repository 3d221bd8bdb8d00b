// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.asynchttpclient.HttpResponseStatus;
import org.asynchttpclient.ws.WebSocket;
import org.asynchttpclient.ws.WebSocketListener;
import org.asynchttpclient.ws.WebSocketUpgradeHandler;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to open the websocket and, if it succeeds, the connection until it ends. Callbacks
 * run on Netty's thread.
 */
final class WebSocketSession implements WebSocketListener {

  private static final long CLOSE_TIMEOUT_MS = 1_000;

  private final WebSocketConnection connection;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile @Nullable WebSocket webSocket;
  private volatile @Nullable Channel channel;
  private volatile boolean paused;
  private volatile int status;
  private volatile long openedNanos = System.nanoTime();

  WebSocketSession(WebSocketConnection connection) {
    this.connection = connection;
  }

  WebSocketUpgradeHandler upgradeHandler() {
    return new WebSocketUpgradeHandler(List.of(this)) {
      @Override
      protected void onStatusReceived0(HttpResponseStatus responseStatus) {
        status = responseStatus.getStatusCode();
      }
    };
  }

  /** Time since it was opened; before that, since the attempt to open it. */
  Duration age() {
    return Duration.ofNanos(System.nanoTime() - openedNanos);
  }

  void ping() {
    WebSocket socket = webSocket;
    if (socket != null) {
      socket.sendPingFrame();
    }
  }

  /**
   * Sends a close frame and closes the socket without waiting for the server. Later messages are
   * ignored.
   */
  void close() {
    ended.set(true);
    WebSocket socket = webSocket;
    if (socket != null) {
      socket.sendCloseFrame();
      openedChannel().close();
    }
  }

  /**
   * Waits at most 1 s for the socket to close; no data is received after that. Not on Netty's
   * thread.
   */
  void awaitClosed() {
    Channel closing = channel;
    if (closing != null) {
      closing.closeFuture().awaitUninterruptibly(CLOSE_TIMEOUT_MS);
    }
  }

  /** Whether reads are paused because the route cannot keep up. */
  boolean paused() {
    return paused;
  }

  /** Pauses reads; messages already decoded still arrive. On Netty's thread. */
  void pause() {
    paused = true;
    readControl().pauseReading(openedChannel());
  }

  /** Resumes reads. On Netty's thread. */
  void resume() {
    paused = false;
    readControl().resumeReading(openedChannel());
  }

  private ReadControlHandler readControl() {
    return openedChannel().pipeline().get(ReadControlHandler.class);
  }

  private Channel openedChannel() {
    return Objects.requireNonNull(channel);
  }

  /** Runs a task on Netty's thread; ignored if that has terminated. */
  void execute(Runnable task) {
    try {
      openedChannel().eventLoop().execute(task);
    } catch (RejectedExecutionException e) {
      // closed concurrently
    }
  }

  @Override
  public void onOpen(WebSocket opened) {
    channel = connection.openedChannel();
    openedNanos = System.nanoTime();
    webSocket = opened;
    if (ended.get() || connection.isClosed()) {
      // closed during the connect
      close();
    } else {
      connection.opened(this);
    }
  }

  @Override
  public void onTextFrame(String payload, boolean finalFragment, int rsv) {
    if (!ended.get()) {
      connection.received(this, new WebSocketMessage.Text(payload));
    }
  }

  @Override
  public void onBinaryFrame(byte[] payload, boolean finalFragment, int rsv) {
    if (!ended.get()) {
      connection.received(this, new WebSocketMessage.Binary(payload));
    }
  }

  @Override
  public void onPongFrame(byte[] payload) {
    connection.receivedComplete();
  }

  @Override
  public void onPingFrame(byte[] payload) {
    connection.receivedComplete();
    // a server that sends pings but reads nothing must not fill the heap with pongs
    if (openedChannel().isWritable()) {
      Objects.requireNonNull(webSocket).sendPongFrame(payload);
    }
  }

  @Override
  public void onClose(WebSocket closed, int code, @Nullable String reason) {
    if (ended.compareAndSet(false, true)) {
      connection.closed(this, code, reason);
    }
  }

  @Override
  public void onError(Throwable cause) {
    if (ended.get()) {
      return;
    }
    if (webSocket != null) {
      connection.sessionFailed(this, cause);
    } else {
      ended.set(true);
      connection.connectFailed(this, cause, status == 101 ? 0 : status);
    }
  }
}
