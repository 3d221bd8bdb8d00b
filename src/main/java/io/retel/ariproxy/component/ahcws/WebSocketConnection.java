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
  private static final Duration LASTING = Duration.ofSeconds(1);

  private final URI uri;
  private final AhcWsConfiguration configuration;
  private final MessageBuffer buffer;
  private final ConnectionTimer timer;
  private final CamelContext camelContext;
  private final AtomicBoolean claimed = new AtomicBoolean();

  private volatile ConnectionState state;
  private volatile boolean closed;
  private volatile Channel initialized;
  private volatile long lastHeard;

  // written on the timer's thread only
  private volatile AsyncHttpClient client;
  private volatile WebSocketSession session;
  private Future<?> pinging;
  private Future<?> nextTry;
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
    this.timer = new ConnectionTimer(executor, address());
    this.camelContext = camelContext;
  }

  /** Starts to connect; returns at once. */
  void open() {
    timer.now(this::start);
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
      timer.now(this::disconnect).get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
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
  void tellConnectedAgain() {
    if (state.connected() && configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED, Instant.now()));
    }
  }

  /**
   * Closes the websocket and opens it anew; if it is not open, tries at once. Returns at once.
   *
   * @param why in a clause
   */
  void reconnect(String why) {
    timer.now(
        () -> {
          WebSocketSession current = session;
          if (state.connected() && current != null) {
            abandon(current, why);
          }
          Future<?> waiting = nextTry;
          if (waiting != null && waiting.cancel(false)) {
            connect();
          }
        });
  }

  /** No route is there any more to take what is in the buffer; says so if there is anything. */
  void discardWhatIsLeft() {
    int left = 0;
    for (WebSocketMessage message = buffer.poll(); message != null; message = buffer.poll()) {
      if (!(message instanceof WebSocketMessage.ConnectionEvent)) {
        left++;
      }
    }
    if (left > 0) {
      LOG.error(
          "{} messages of {} that were read are lost: the route had not taken them when it was"
              + " stopped",
          left,
          address());
    }
  }

  /** Makes it the caller's: messages in order have one reader. */
  void claim() {
    if (!tryToClaim()) {
      throw new IllegalStateException("Another route already consumes " + address());
    }
  }

  /** Makes it the caller's, unless it is somebody's. */
  boolean tryToClaim() {
    return claimed.compareAndSet(false, true);
  }

  /** Leaves it to the next reader. */
  void release() {
    claimed.set(false);
  }

  /** Takes what is in another one's buffer, and goes on counting where that one was closed. */
  void takeOver(WebSocketConnection left) {
    left.buffer.drainTo(buffer);
    timer.now(() -> state = state.goingOnAfter(left.state));
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
    ConnectionState now = state;
    return new WebSocketStatus(
        address(),
        now.connected(),
        now.since(),
        now.reason(),
        now.failures(),
        now.reconnects(),
        now.gapsUntilNow(),
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
  boolean serves(AhcWsConfiguration wanted) {
    return !closed && configuration.sameConnection(wanted);
  }

  /**
   * Takes the oldest message out of the buffer, or null; the socket is read again when there is
   * room.
   */
  WebSocketMessage take() {
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
      pinging = timer.every(interval, this::ping);
    }
  }

  private void connect() {
    if (closed) {
      return;
    }
    try {
      if (client == null) {
        client = AhcClients.create(uri, configuration, camelContext, this::initialize);
      }
      session = new WebSocketSession(this);
      AhcClients.upgrade(client, uri, configuration).execute(session.upgradeHandler());
    } catch (Exception e) {
      onConnectFailed(session, e, 0);
    }
  }

  private void disconnect() {
    if (pinging != null) {
      pinging.cancel(false);
    }
    WebSocketSession open = session;
    session = null;
    if (open != null) {
      open.close();
      open.awaitClosed();
    }
    if (state.connected()) {
      lost("The websocket was closed by this side", 0);
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
    long sent = System.nanoTime();
    current.ping();
    timer.after(configuration.getPongTimeout(), () -> checkHeardSince(current, sent));
  }

  private void checkHeardSince(WebSocketSession pinged, long sent) {
    if (session == pinged && !pinged.paused() && lastHeard - sent < 0) {
      abandon(pinged, "No sign of life within " + configuration.getPongTimeout() + " ms of a ping");
    }
  }

  /** Drops a session that is of no use any more, without waiting for the server to agree. */
  private void abandon(WebSocketSession useless, String why) {
    if (session == useless) {
      useless.close();
      useless.awaitClosed();
      onClosed(useless, why);
    }
  }

  private void onOpened(WebSocketSession opened) {
    if (closed || session != opened) {
      opened.close();
      return;
    }
    int failures = state.failures();
    Duration gap = Duration.between(state.since(), Instant.now());
    state = state.nowConnected();
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
    String why =
        refused ? Trouble.refused(address(), status) : Trouble.unreachable(address(), cause);
    // waiting does not mend a client's error, so that tries are rarer from the first on; a server's
    // own passes, like the 503 of an Asterisk that is starting
    boolean rarely = refused && status < 500;
    long maximum =
        rarely ? configuration.getRefusedMaximumDelay() : configuration.getReconnectMaximumDelay();
    if (!why.equals(loggedReason)) {
      loggedReason = why;
      LOG.warn("{}; trying again every {} s at the latest", why, Math.max(1, maximum / 1000));
    } else {
      LOG.debug("{}; trying again", why);
    }
    int failures = state.failures();
    state = state.failedAgain(why, status);
    connectAgain(maximum, rarely ? failures + 3 : failures);
  }

  private void onClosed(WebSocketSession gone, String why) {
    if (session != gone) {
      return;
    }
    session = null;
    // one that did not last counts as a failed try: a server that closes at once is not hammered
    boolean lasted = Duration.between(state.since(), Instant.now()).compareTo(LASTING) > 0;
    int failures = lasted ? 0 : state.failures();
    lost(why, failures + 1);
    if (!closed) {
      LOG.warn("Lost {}: {}; connecting again", address(), why);
      connectAgain(configuration.getReconnectMaximumDelay(), failures);
    }
  }

  private void connectAgain(long maximumDelay, int failures) {
    long delay =
        Backoff.delay(
            configuration.getReconnectInitialDelay(),
            maximumDelay,
            failures,
            ThreadLocalRandom.current()::nextDouble);
    nextTry = timer.after(delay, this::connect);
  }

  private void lost(String why, int failures) {
    state = state.nowLost(why, failures);
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.DISCONNECTED, state.since()));
    }
  }

  // ---- Netty's thread

  private void initialize(Channel channel) {
    initialized = channel;
    channel.pipeline().addFirst(new SocketGate(() -> lastHeard = System.nanoTime()));
  }

  /**
   * The channel under an open websocket: connects are tried one at a time, so that it is the last
   * one made.
   */
  Channel openedChannel() {
    return initialized;
  }

  /**
   * The websocket is open: messages may follow at once, so that the event that tells of it goes in
   * before them.
   */
  void opened(WebSocketSession opened) {
    lastHeard = System.nanoTime();
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED, Instant.now()));
    }
    timer.now(() -> onOpened(opened));
  }

  void received(WebSocketSession by, WebSocketMessage message) {
    buffer.put(message);
    if (!by.paused() && buffer.full()) {
      by.pause();
      LOG.warn(
          "The buffer of {} is full with {} messages; the socket is not read until the route has caught up",
          address(),
          buffer.size());
      // the route may have caught up before it could see the pause
      resumeReading(by);
    }
  }

  private void resumeReading(WebSocketSession paused) {
    if (paused.paused() && buffer.hasRoom()) {
      lastHeard = System.nanoTime();
      paused.resume();
      LOG.info("The websocket {} is read again", address());
    }
  }

  void failed(WebSocketSession failed, Throwable cause, int status) {
    timer.now(() -> onConnectFailed(failed, cause, status));
  }

  void broken(WebSocketSession broken, Throwable cause) {
    String why = Trouble.rootMessage(cause);
    if (Trouble.isLostMessage(cause)) {
      why = Trouble.lostMessage(configuration.getMaxMessageSize(), cause);
      LOG.error("{}: {}; it is lost", address(), why);
    }
    String reason = why;
    timer.now(() -> abandon(broken, reason));
  }

  void closed(WebSocketSession gone, int code, String reason) {
    String why =
        reason == null || reason.isEmpty()
            ? "closed with code " + code
            : reason + " (code " + code + ")";
    timer.now(() -> onClosed(gone, why));
  }
}
