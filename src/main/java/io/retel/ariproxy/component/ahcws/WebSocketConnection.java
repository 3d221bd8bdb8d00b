// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import org.apache.camel.CamelContext;
import org.asynchttpclient.AsyncHttpClient;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One websocket to one address, reopened until it is closed.
 *
 * <p>All state changes run on the scheduler's one thread. Netty's thread only fills the buffer, and
 * pauses and resumes reads. While the buffer is full the socket is not read, so a missing pong is
 * not a sign of a dead connection.
 */
final class WebSocketConnection implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(WebSocketConnection.class);

  private static final long CLOSE_TIMEOUT_SECONDS = 2;

  /** A connection that ends sooner counts as a failed attempt. */
  private static final Duration MIN_STABLE_DURATION = Duration.ofSeconds(1);

  /** How long after it was sent the server can execute a request that has timed out. */
  private static final Duration UNANSWERED_RETENTION = Duration.ofMinutes(1);

  /** Timeouts of pongs that a message can take to arrive, while parts of it do. */
  private static final long MAX_MISSED_PONGS = 10;

  /** How often a full buffer is checked before the websocket is reopened. */
  private static final long FULL_BUFFER_INTERVAL_MS = 500;

  private static final String BUFFER_FULL =
      "Not reconnecting, since the buffer is full until the route catches up";

  private final URI uri;
  private final UnaryOperator<URI> requestUri;
  private final Consumer<String> onText;
  private final AhcWsConfiguration configuration;
  private final MessageBuffer buffer;
  private final ConnectionScheduler scheduler;
  private final CamelContext camelContext;
  private final IntConsumer onLost;
  private final AtomicBoolean claimed = new AtomicBoolean();
  private final BufferPauseLog pauseLog;
  private final ClientThreads threads;
  private final ClientTimer timer;

  /** Upgrades that the server had not answered in time, but can still execute. */
  private final AtomicInteger unansweredUpgrades = new AtomicInteger();

  /** The session that one of them has displaced, or null; written on Netty's thread only. */
  private volatile @Nullable WebSocketSession displaced;

  private volatile ConnectionState state;
  private volatile boolean closed;
  private volatile @Nullable Channel lastChannel;
  private volatile long lastReadNanos;

  /** Whether the server, or its kernel, has accepted the TCP connection of the latest attempt. */
  private volatile boolean serverConnected;

  private volatile long lastCompleteNanos;

  // written on the scheduler's thread only
  private volatile @Nullable AsyncHttpClient client;
  private volatile @Nullable WebSocketSession session;
  private @Nullable Future<?> pingTask;
  private @Nullable Future<?> reconnectTask;
  private @Nullable URI requested;
  private String loggedReason = "";

  /** Whether an upgrade has timed out since the websocket was last reopened for that reason. */
  private boolean upgradeTimedOut;

  /**
   * @param requestUri applied to the URI before each attempt to connect
   * @param onText receives text messages as they arrive, on Netty's thread
   * @param state initial state, with the counters of the connections it replaces
   * @param onLost receives the number of messages that were lost; called on any thread
   */
  WebSocketConnection(
      URI uri,
      UnaryOperator<URI> requestUri,
      Consumer<String> onText,
      AhcWsConfiguration configuration,
      MessageBuffer buffer,
      ConnectionState state,
      ScheduledExecutorService executor,
      CamelContext camelContext,
      IntConsumer onLost) {
    this.uri = uri;
    this.requestUri = requestUri;
    this.onText = onText;
    this.configuration = configuration;
    this.buffer = buffer;
    this.state = state;
    this.scheduler = new ConnectionScheduler(executor, address());
    this.pauseLog =
        new BufferPauseLog(address(), buffer::size, scheduler::schedule, System::nanoTime);
    this.camelContext = camelContext;
    this.onLost = onLost;
    this.threads = new ClientThreads("websocket-" + uri.getHost());
    this.timer = new ClientTimer(executor);
  }

  /** Starts connecting; returns immediately. */
  void open() {
    scheduler.submit(this::start);
  }

  /** Closes the websocket for good; buffered messages remain. Waits for the socket, at most 2 s. */
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
      // a DNS lookup of the server may block the scheduler
      LOG.warn("Websocket {} did not close cleanly: {}", address(), e.toString());
      closeClient();
    }
  }

  /** Buffers a connection event, if the websocket is open. */
  void fireConnectionEvent(String event) {
    if (state.connected() && configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(WebSocketMessage.ConnectionEvent.now(event));
    }
  }

  /**
   * Closes and reopens the websocket, or retries immediately if it is not open. Returns
   * immediately.
   *
   * @param reason for the log
   */
  void reconnect(String reason) {
    scheduler.submit(
        () -> {
          WebSocketSession current = session;
          if (state.connected() && current != null) {
            drop(current, reason, true);
          }
          Future<?> pendingReconnect = reconnectTask;
          if (pendingReconnect != null && pendingReconnect.cancel(false)) {
            connect();
          }
        });
  }

  /**
   * Reopens the websocket if the server can have displaced it with an earlier upgrade of this
   * connection, which had timed out. At most once for each of them. On Netty's thread, while a
   * message is received.
   *
   * @return whether the websocket is reopened
   */
  boolean reopenIfDisplaced() {
    WebSocketSession current = session;
    if (current == null) {
      return false;
    }
    if (current == displaced) {
      // one upgrade can request several things
      return true;
    }
    if (current.age().compareTo(UNANSWERED_RETENTION) > 0
        || unansweredUpgrades.getAndUpdate(count -> Math.max(0, count - 1)) == 0) {
      return false;
    }
    displaced = current;
    scheduler.submit(() -> drop(current, "Displaced by an earlier request of the proxy", true));
    return true;
  }

  /** Discards buffered messages after the last route has stopped, and logs how many were lost. */
  void discardBuffered() {
    int discarded = 0;
    for (WebSocketMessage message = buffer.poll(); message != null; message = buffer.poll()) {
      if (!(message instanceof WebSocketMessage.ConnectionEvent)) {
        discarded++;
      }
    }
    if (discarded > 0) {
      onLost.accept(discarded);
      LOG.error(
          "{} messages of {} that were read are lost: the route stopped before consuming them",
          discarded,
          address());
    }
  }

  /**
   * Reserves the connection for the caller, since only a single reader preserves message order.
   *
   * @throws IllegalStateException if another route consumes it
   */
  void claim() {
    if (!tryClaim()) {
      throw new IllegalStateException("Another route already consumes " + address());
    }
  }

  /** Reserves the connection for the caller unless another route consumes it. */
  boolean tryClaim() {
    return claimed.compareAndSet(false, true);
  }

  /** Releases the connection for the next reader. */
  void release() {
    claimed.set(false);
  }

  /** Moves the buffered messages of a closed connection here and continues its counters. */
  void absorb(WebSocketConnection orphaned) {
    orphaned.buffer.drainTo(buffer);
    scheduler.submit(() -> state = state.mergedWith(orphaned.state));
  }

  /** Returns the name of an ended thread of the open connection, if any. */
  Optional<String> endedThread() {
    return closed ? Optional.empty() : threads.ended();
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

  /**
   * Whether the route has received all messages that the server sent between two moments of {@link
   * System#nanoTime}: the websocket has been open since the first, the server has sent data after
   * the second, such as a pong, and the buffer is empty.
   */
  boolean hasReceivedAll(long sinceNanos, long untilNanos) {
    ConnectionState current = state;
    WebSocketSession open = session;
    return current.connected()
        && current.sinceNanos() - sinceNanos < 0
        && open != null
        && !open.paused()
        && lastReadNanos - untilNanos > 0
        && buffer.size() == 0;
  }

  /** The address without query and credentials. */
  String address() {
    return address(uri);
  }

  /** Returns an address without query and credentials. */
  static String address(URI uri) {
    return uri.getScheme()
        + "://"
        + uri.getHost()
        + (uri.getPort() > 0 ? ":" + uri.getPort() : "")
        + uri.getPath();
  }

  /** Whether the connection is open for a route with these options. */
  boolean isUsableFor(AhcWsConfiguration requested) {
    return !closed && configuration.hasSameConnectionOptions(requested);
  }

  /** Removes the oldest message, or returns null. Resumes reads once the buffer has room. */
  @Nullable WebSocketMessage poll() {
    WebSocketMessage message = buffer.poll();
    WebSocketSession current = session;
    if (current != null && current.paused() && buffer.hasRoom()) {
      current.execute(() -> resumeReading(current));
    }
    return message;
  }

  // ---- the scheduler's thread

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
    boolean waiting = state.lastError().equals(BUFFER_FULL);
    if (waiting ? !buffer.hasRoom() : buffer.isFull()) {
      // each connection could add messages
      awaitRoom();
      return;
    }
    try {
      if (client == null) {
        client =
            AhcClients.create(
                uri, configuration, camelContext, threads, timer, this::initializeChannel);
      }
      session = new WebSocketSession(this);
      serverConnected = false;
      URI current = requestUri.apply(uri);
      requested = current;
      AhcClients.upgradeRequest(client, current, configuration).execute(session.upgradeHandler());
    } catch (Exception | Error e) {
      logIfError(e);
      onConnectFailed(session, e, 0);
    }
  }

  private void awaitRoom() {
    if (!state.lastError().equals(BUFFER_FULL)) {
      LOG.warn("Websocket {}: {}", address(), BUFFER_FULL);
      state = state.waiting(BUFFER_FULL);
    }
    reconnectTask = scheduler.schedule(FULL_BUFFER_INTERVAL_MS, this::connect);
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
      recordDisconnect("Websocket closed by the proxy", 0);
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
    if (session != pinged || pinged.paused()) {
      return;
    }
    if (lastReadNanos - sentNanos < 0) {
      drop(
          pinged,
          "No data received within " + configuration.getPongTimeout() + " ms of a ping",
          false);
    } else if (lastReadNanos - lastCompleteNanos > maxMessageDuration().toNanos()) {
      drop(
          pinged,
          "Neither a complete message nor a pong received within "
              + maxMessageDuration().toMillis()
              + " ms",
          false);
    }
  }

  /** No pong can arrive within a frame, and the last one is as old as the previous ping. */
  private Duration maxMessageDuration() {
    return Duration.ofMillis(
        configuration.getPingInterval() + MAX_MISSED_PONGS * configuration.getPongTimeout());
  }

  /**
   * Drops a session without waiting for the server's close frame.
   *
   * @param requested whether the session works
   */
  private void drop(WebSocketSession stale, String reason, boolean requested) {
    if (session == stale) {
      stale.close();
      stale.awaitClosed();
      onClosed(stale, reason, requested);
    }
  }

  private void onOpened(WebSocketSession opened) {
    if (closed || session != opened) {
      opened.close();
      return;
    }
    int failures = state.failures();
    Duration gap = state.age();
    state = state.afterConnect();
    loggedReason = "";
    if (failures > 0) {
      LOG.info(
          "Connected to {} after {} s and {} failed {}",
          address(),
          gap.toSeconds(),
          failures,
          failures == 1 ? "attempt" : "attempts");
    } else if (state.reconnects() > 0) {
      LOG.info("Connected to {} after {} s", address(), gap.toSeconds());
    } else {
      LOG.info("Connected to {}", address());
    }
    if (!requestUri.apply(uri).equals(requested)) {
      // during the attempt, reconnect() has nothing to do
      drop(opened, "Address to request has changed", true);
    } else if (upgradeTimedOut) {
      scheduler.schedule(configuration.getConnectTimeout(), () -> reopenAfterTimeout(opened));
    }
  }

  /**
   * Reopens the websocket once the server has executed the upgrades that had timed out: with their
   * end it can have ended what this one has requested, without a message
   * (docs/contract.md#displaced).
   */
  private void reopenAfterTimeout(WebSocketSession opened) {
    if (session == opened && upgradeTimedOut) {
      upgradeTimedOut = false;
      drop(opened, "Earlier requests that timed out can have ended its subscription", true);
    }
  }

  private void onConnectFailed(@Nullable WebSocketSession failed, Throwable cause, int status) {
    if (closed || session != failed) {
      return;
    }
    session = null;
    // the kernel of a frozen server accepts connections
    if (cause instanceof TimeoutException && serverConnected) {
      unansweredUpgrades.incrementAndGet();
      upgradeTimedOut = true;
    }
    boolean refused = status > 0;
    String reason =
        refused
            ? WebSocketErrors.refused(address(), status)
            : WebSocketErrors.unreachable(address(), cause, configuration.getTlsErrorDescriber());
    // a client error does not go away without a fix, so retries are infrequent from the start; a
    // server error is often temporary, like the 503 of an Asterisk that is starting
    boolean clientError = refused && status < 500;
    long maximumDelay =
        clientError
            ? configuration.getRefusedMaximumDelay()
            : configuration.getReconnectMaximumDelay();
    if (!reason.equals(loggedReason)) {
      loggedReason = reason;
      LOG.warn("{}; retrying within {} s", reason, Math.max(1, maximumDelay / 1000));
    } else {
      LOG.debug("{}; retrying", reason);
    }
    int failures = state.failures();
    state = state.afterFailedAttempt(reason, status);
    scheduleReconnect(maximumDelay, clientError ? failures + 3 : failures);
  }

  private void onClosed(WebSocketSession closedSession, String reason, boolean requested) {
    if (session != closedSession) {
      return;
    }
    session = null;
    if (closedSession.age().compareTo(UNANSWERED_RETENTION) > 0) {
      unansweredUpgrades.set(0);
    }
    // an unstable connection counts as a failed attempt, to back off from a server that closes
    // immediately
    boolean wasStable = state.age().compareTo(MIN_STABLE_DURATION) > 0;
    int failures = wasStable ? 0 : state.failures();
    recordDisconnect(reason, wasStable || requested ? failures : failures + 1);
    if (!closed) {
      LOG.warn("Lost connection to {}: {}; reconnecting", address(), reason);
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
    pauseLog.ended();
    state = state.afterDisconnect(reason, failures);
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(
          new WebSocketMessage.ConnectionEvent(
              AhcWsConstants.DISCONNECTED, state.since(), state.sinceNanos()));
    }
  }

  // ---- Netty's thread

  private void initializeChannel(Channel channel) {
    lastChannel = channel;
    channel
        .pipeline()
        .addFirst(
            new ReadControlHandler(
                () -> serverConnected = true, () -> lastReadNanos = System.nanoTime()));
  }

  /** The channel of the websocket just opened: the latest one, since attempts are sequential. */
  Channel openedChannel() {
    return Objects.requireNonNull(lastChannel);
  }

  /**
   * Handles an opened websocket. The CONNECTED event is buffered here, before the first message can
   * arrive.
   */
  void opened(WebSocketSession opened) {
    lastReadNanos = System.nanoTime();
    receivedComplete();
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(WebSocketMessage.ConnectionEvent.now(AhcWsConstants.CONNECTED));
    }
    scheduler.submit(() -> onOpened(opened));
  }

  /** Handles a complete message, or a ping or pong. */
  void receivedComplete() {
    lastCompleteNanos = lastReadNanos;
  }

  void received(WebSocketSession source, WebSocketMessage message) {
    receivedComplete();
    if (message instanceof WebSocketMessage.Text text) {
      onText.accept(text.text());
    }
    buffer.put(message);
    if (!source.paused() && buffer.isFull()) {
      source.pause();
      pauseLog.paused();
      // the route may have caught up before seeing the pause
      resumeReading(source);
    }
  }

  private void resumeReading(WebSocketSession pausedSession) {
    if (pausedSession.paused() && buffer.hasRoom()) {
      lastReadNanos = System.nanoTime();
      receivedComplete();
      pausedSession.resume();
      pauseLog.resumed();
    }
  }

  void connectFailed(WebSocketSession failed, Throwable cause, int status) {
    logIfError(cause);
    scheduler.submit(() -> onConnectFailed(failed, cause, status));
  }

  void sessionFailed(WebSocketSession failed, Throwable cause) {
    logIfError(cause);
    String reason;
    if (WebSocketErrors.isTooLarge(cause)) {
      reason = WebSocketErrors.tooLarge(configuration.getMaxMessageSize());
      onLost.accept(1);
      LOG.error("Message lost on {}: {}", address(), reason);
    } else {
      reason = WebSocketErrors.failed(cause);
    }
    scheduler.submit(() -> drop(failed, reason, false));
  }

  /** Logs an error of the JVM with its stack trace, unlike an exception. */
  private void logIfError(Throwable cause) {
    if (cause instanceof Error) {
      LOG.error("Error on websocket {}", address(), cause);
    }
  }

  void closed(WebSocketSession closedSession, int code, @Nullable String reason) {
    String message =
        reason == null || reason.isEmpty()
            ? "closed with code " + code
            : reason + " (code " + code + ")";
    scheduler.submit(() -> onClosed(closedSession, message, false));
  }
}
