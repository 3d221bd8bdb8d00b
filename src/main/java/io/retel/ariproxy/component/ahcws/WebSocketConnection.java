package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.asynchttpclient.AsyncHttpClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One websocket to one address: opened, kept alive, and opened again for ever until it is closed.
 *
 * <p>All that changes its state runs on the timer's one thread; Netty's thread only puts messages
 * into the buffer, and stops and resumes reading. While the buffer is full the socket is not read,
 * and the server's silence means nothing.
 */
final class WebSocketConnection implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(WebSocketConnection.class);

  private static final long CLOSE_TIMEOUT_SECONDS = 2;

  /** A connection that ends sooner was no success. */
  private static final Duration MIN_STABLE_DURATION = Duration.ofSeconds(1);

  private final URI uri;
  private final AhcWsConfiguration configuration;
  private final MessageBuffer buffer;
  private final ConnectionScheduler scheduler;
  private final CamelContext camelContext;
  private final AtomicBoolean claimed = new AtomicBoolean();

  private volatile ConnectionState state;
  private volatile boolean closed;
  private volatile Channel lastChannel;
  private volatile long lastReadNanos;

  // written on the timer's thread only
  private volatile AsyncHttpClient client;
  private volatile WebSocketSession session;
  private Future<?> pingTask;
  private Future<?> reconnectTask;
  private String loggedReason = "";

  /**
   * @param state how it begins, with the counts of those whose place it takes
   */
  WebSocketConnection(
      URI uri,
      AhcWsConfiguration configuration,
      MessageBuffer buffer,
      ConnectionState state,
      ScheduledExecutorService executor,
      CamelContext camelContext) {
    this.uri = uri;
    this.configuration = configuration;
    this.buffer = buffer;
    this.state = state;
    this.scheduler = new ConnectionScheduler(executor, address());
    this.camelContext = camelContext;
  }

  /** Starts to connect; returns at once. */
  void open() {
    scheduler.submit(this::start);
  }

  /**
   * Closes the websocket and never opens it again; what is in the buffer stays there. Waits for the
   * socket, briefly.
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      scheduler.submit(this::disconnect).get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closeClient();
    } catch (Exception e) {
      // a look-up of the server's name may hold up the timer
      LOG.warn("The websocket {} was not closed in an orderly way: {}", address(), e.toString());
      closeClient();
    }
  }

  /** Puts the event that tells of an open connection in once more, if it is open. */
  void fireConnectedEvent() {
    if (state.connected() && configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED, Instant.now()));
    }
  }

  /**
   * Closes the websocket and opens it anew; if it is not open, tries at once. Returns at once.
   *
   * @param why in a clause
   */
  void reconnect(String reason) {
    scheduler.submit(
        () -> {
          WebSocketSession current = session;
          if (state.connected() && current != null) {
            drop(current, reason);
          }
          Future<?> pendingReconnect = reconnectTask;
          if (pendingReconnect != null && pendingReconnect.cancel(false)) {
            connect();
          }
        });
  }

  /** No route is there any more to take what is in the buffer; says so if there is anything. */
  void discardBuffered() {
    int discarded = 0;
    for (WebSocketMessage message = buffer.poll(); message != null; message = buffer.poll()) {
      if (!(message instanceof WebSocketMessage.ConnectionEvent)) {
        discarded++;
      }
    }
    if (discarded > 0) {
      LOG.error(
          "{} messages of {} that were read are lost: the route had not taken them when it was"
              + " stopped",
          discarded,
          address());
    }
  }

  /** Makes it the caller's: messages in order have one reader. */
  void claim() {
    if (!tryClaim()) {
      throw new IllegalStateException("Another route already consumes " + address());
    }
  }

  /** Makes it the caller's, unless it is somebody's. */
  boolean tryClaim() {
    return claimed.compareAndSet(false, true);
  }

  /** Leaves it to the next reader. */
  void release() {
    claimed.set(false);
  }

  /** Takes what is in another one's buffer, and goes on counting where that one was closed. */
  void absorb(WebSocketConnection orphaned) {
    orphaned.buffer.drainTo(buffer);
    scheduler.submit(() -> state = state.mergedWith(orphaned.state));
  }

  boolean isClosed() {
    return closed;
  }

  MessageBuffer buffer() {
    return buffer;
  }

  ConnectionState state() {
    return state;
  }

  WebSocketStatus status() {
    ConnectionState current = state;
    return new WebSocketStatus(
        address(),
        current.connected(),
        current.since(),
        current.lastError(),
        current.failures(),
        current.reconnects(),
        current.totalGap(),
        buffer.size(),
        buffer.bytes(),
        configuration.getBufferSize());
  }

  /** The address without what might be secret. */
  String address() {
    return address(uri);
  }

  /** An address without what might be secret. */
  static String address(URI uri) {
    return uri.getScheme()
        + "://"
        + uri.getHost()
        + (uri.getPort() > 0 ? ":" + uri.getPort() : "")
        + uri.getPath();
  }

  /** Whether a route with these options can use it. */
  boolean isUsableFor(AhcWsConfiguration requested) {
    return !closed && configuration.hasSameConnectionOptions(requested);
  }

  /**
   * Takes the oldest message out of the buffer, or null; the socket is read again when there is
   * room.
   */
  WebSocketMessage poll() {
    WebSocketMessage message = buffer.poll();
    WebSocketSession current = session;
    if (current != null && current.paused() && buffer.hasRoom()) {
      current.execute(() -> resumeReading(current));
    }
    return message;
  }

  // ---- the timer's thread

  private void start() {
    connect();
    long interval = configuration.getPingInterval();
    if (interval > 0) {
      pingTask = scheduler.scheduleWithFixedDelay(interval, this::ping);
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    try {
      if (client == null) {
        client = AhcClients.create(uri, configuration, camelContext, this::initializeChannel);
      }
      session = new WebSocketSession(this);
      AhcClients.upgradeRequest(client, uri, configuration).execute(session.upgradeHandler());
    } catch (Exception e) {
      onConnectFailed(session, e, 0);
    }
  }

  private void disconnect() {
    if (pingTask != null) {
      pingTask.cancel(false);
    }
    WebSocketSession current = session;
    session = null;
    if (current != null) {
      current.close();
      current.awaitClosed();
    }
    if (state.connected()) {
      recordDisconnect("The websocket was closed by this side", 0);
    }
    closeClient();
  }

  private void closeClient() {
    AsyncHttpClient closing = client;
    if (closing != null) {
      try {
        closing.close();
      } catch (IOException e) {
        LOG.debug("Closing the HTTP client failed", e);
      }
    }
  }

  private void ping() {
    WebSocketSession current = session;
    if (current == null || current.paused() || !state.connected()) {
      return;
    }
    long sentNanos = System.nanoTime();
    current.ping();
    scheduler.schedule(configuration.getPongTimeout(), () -> checkPong(current, sentNanos));
  }

  private void checkPong(WebSocketSession pinged, long sentNanos) {
    if (session == pinged && !pinged.paused() && lastReadNanos - sentNanos < 0) {
      drop(pinged, "No sign of life within " + configuration.getPongTimeout() + " ms of a ping");
    }
  }

  /** Drops a session that is of no use any more, without waiting for the server to agree. */
  private void drop(WebSocketSession stale, String reason) {
    if (session == stale) {
      stale.close();
      stale.awaitClosed();
      onClosed(stale, reason);
    }
  }

  private void onOpened(WebSocketSession opened) {
    if (closed || session != opened) {
      opened.close();
      return;
    }
    int failures = state.failures();
    Duration gap = Duration.between(state.since(), Instant.now());
    state = state.afterConnect();
    loggedReason = "";
    if (failures == 0) {
      LOG.info("Connected to {}", address());
    } else {
      LOG.info(
          "Connected to {} after {} s (failed tries: {})", address(), gap.toSeconds(), failures);
    }
  }

  private void onConnectFailed(WebSocketSession failed, Throwable cause, int status) {
    if (closed || session != failed) {
      return;
    }
    session = null;
    boolean refused = status > 0;
    String reason =
        refused
            ? WebSocketErrors.refused(address(), status)
            : WebSocketErrors.unreachable(address(), cause);
    // waiting does not mend a client's error, so that tries are rarer from the first on; a server's
    // own passes, like the 503 of an Asterisk that is starting
    boolean clientError = refused && status < 500;
    long maximumDelay =
        clientError
            ? configuration.getRefusedMaximumDelay()
            : configuration.getReconnectMaximumDelay();
    if (!reason.equals(loggedReason)) {
      loggedReason = reason;
      LOG.warn(
          "{}; trying again every {} s at the latest", reason, Math.max(1, maximumDelay / 1000));
    } else {
      LOG.debug("{}; trying again", reason);
    }
    int failures = state.failures();
    state = state.afterFailedAttempt(reason, status);
    scheduleReconnect(maximumDelay, clientError ? failures + 3 : failures);
  }

  private void onClosed(WebSocketSession closedSession, String reason) {
    if (session != closedSession) {
      return;
    }
    session = null;
    // one that did not last counts as a failed try: a server that closes at once is not hammered
    boolean wasStable =
        Duration.between(state.since(), Instant.now()).compareTo(MIN_STABLE_DURATION) > 0;
    int failures = wasStable ? 0 : state.failures();
    recordDisconnect(reason, failures + 1);
    if (!closed) {
      LOG.warn("Lost {}: {}; connecting again", address(), reason);
      scheduleReconnect(configuration.getReconnectMaximumDelay(), failures);
    }
  }

  private void scheduleReconnect(long maximumDelay, int failures) {
    long delay =
        Backoff.delay(
            configuration.getReconnectInitialDelay(),
            maximumDelay,
            failures,
            ThreadLocalRandom.current()::nextDouble);
    reconnectTask = scheduler.schedule(delay, this::connect);
  }

  private void recordDisconnect(String reason, int failures) {
    state = state.afterDisconnect(reason, failures);
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.DISCONNECTED, state.since()));
    }
  }

  // ---- Netty's thread

  private void initializeChannel(Channel channel) {
    lastChannel = channel;
    channel.pipeline().addFirst(new ReadControlHandler(() -> lastReadNanos = System.nanoTime()));
  }

  /**
   * The channel under an open websocket: connects are tried one at a time, so that it is the last
   * one made.
   */
  Channel openedChannel() {
    return lastChannel;
  }

  /**
   * The websocket is open: messages may follow at once, so that the event that tells of it goes in
   * before them.
   */
  void opened(WebSocketSession opened) {
    lastReadNanos = System.nanoTime();
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED, Instant.now()));
    }
    scheduler.submit(() -> onOpened(opened));
  }

  void received(WebSocketSession source, WebSocketMessage message) {
    buffer.put(message);
    if (!source.paused() && buffer.isFull()) {
      source.pause();
      LOG.warn(
          "The buffer of {} is full with {} messages; the socket is not read until the route has caught up",
          address(),
          buffer.size());
      // the route may have caught up before it could see the pause
      resumeReading(source);
    }
  }

  private void resumeReading(WebSocketSession pausedSession) {
    if (pausedSession.paused() && buffer.hasRoom()) {
      lastReadNanos = System.nanoTime();
      pausedSession.resume();
      LOG.info("The websocket {} is read again", address());
    }
  }

  void connectFailed(WebSocketSession failed, Throwable cause, int status) {
    scheduler.submit(() -> onConnectFailed(failed, cause, status));
  }

  void sessionFailed(WebSocketSession failed, Throwable cause) {
    String message = WebSocketErrors.rootCauseMessage(cause);
    if (WebSocketErrors.isInvalidMessage(cause)) {
      message = WebSocketErrors.invalidMessage(configuration.getMaxMessageSize(), cause);
      LOG.error("{}: {}; it is lost", address(), message);
    }
    String reason = message;
    scheduler.submit(() -> drop(failed, reason));
  }

  void closed(WebSocketSession closedSession, int code, String reason) {
    String message =
        reason == null || reason.isEmpty()
            ? "closed with code " + code
            : reason + " (code " + code + ")";
    scheduler.submit(() -> onClosed(closedSession, message));
  }
}
