package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.asynchttpclient.HttpResponseStatus;
import org.asynchttpclient.ws.WebSocket;
import org.asynchttpclient.ws.WebSocketListener;
import org.asynchttpclient.ws.WebSocketUpgradeHandler;

/**
 * One try to open the websocket and, if it succeeds, the time until it is gone. Its callbacks run
 * on Netty's thread.
 */
final class WebSocketSession implements WebSocketListener {

  private static final long CLOSE_TIMEOUT_MS = 1_000;

  private final WebSocketConnection connection;
  private final AtomicBoolean ended = new AtomicBoolean();
  private volatile WebSocket webSocket;
  private volatile Channel channel;
  private volatile boolean paused;
  private volatile int status;

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

  void ping() {
    WebSocket socket = webSocket;
    if (socket != null) {
      socket.sendPingFrame();
    }
  }

  /**
   * Says good-bye and closes the socket, whatever the server does; whatever comes after is not
   * listened to.
   */
  void close() {
    ended.set(true);
    WebSocket socket = webSocket;
    if (socket != null) {
      socket.sendCloseFrame();
      channel.close();
    }
  }

  /** Waits, briefly, until it is closed: nothing is received after that. Not on Netty's thread. */
  void awaitClosed() {
    Channel closing = channel;
    if (closing != null) {
      closing.closeFuture().awaitUninterruptibly(CLOSE_TIMEOUT_MS);
    }
  }

  /** Whether the socket is not read because the route does not keep up. */
  boolean paused() {
    return paused;
  }

  /** Stops reading the socket; what is decoded already still comes. On Netty's thread. */
  void pause() {
    paused = true;
    readControl().pauseReading(channel);
  }

  /** Reads the socket again. On Netty's thread. */
  void resume() {
    paused = false;
    readControl().resumeReading(channel);
  }

  private ReadControlHandler readControl() {
    return channel.pipeline().get(ReadControlHandler.class);
  }

  /** Runs something on Netty's thread, unless that has ended. */
  void execute(Runnable task) {
    try {
      channel.eventLoop().execute(task);
    } catch (RejectedExecutionException e) {
      // closed meanwhile
    }
  }

  @Override
  public void onOpen(WebSocket opened) {
    channel = connection.openedChannel();
    webSocket = opened;
    if (ended.get() || connection.isClosed()) {
      // closed while the connect was under way
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
  public void onPingFrame(byte[] payload) {
    webSocket.sendPongFrame(payload);
  }

  @Override
  public void onClose(WebSocket closed, int code, String reason) {
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
