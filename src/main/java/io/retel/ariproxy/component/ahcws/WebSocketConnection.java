package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLException;
import org.apache.camel.CamelContext;
import org.apache.camel.util.ObjectHelper;
import org.asynchttpclient.AsyncHttpClient;
import org.asynchttpclient.BoundRequestBuilder;
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
  private final ScheduledExecutorService timer;
  private final CamelContext camelContext;
  private final AtomicBoolean claimed = new AtomicBoolean();

  private volatile ConnectionState state = ConnectionState.initial();
  private volatile boolean closed;
  private volatile Channel initialized;
  private volatile long lastHeard;

  // written on the timer's thread only
  private volatile AsyncHttpClient client;
  private volatile WebSocketSession session;
  private ScheduledFuture<?> pinging;
  private String loggedReason = "";

  WebSocketConnection(
      URI uri,
      AhcWsConfiguration configuration,
      MessageBuffer buffer,
      ScheduledExecutorService timer,
      CamelContext camelContext) {
    this.uri = uri;
    this.configuration = configuration;
    this.buffer = buffer;
    this.timer = timer;
    this.camelContext = camelContext;
  }

  /** Starts to connect; returns at once. */
  void open() {
    timer.execute(guarded(this::start));
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
      timer.submit(this::disconnect).get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      closeClient();
    } catch (Exception e) {
      // a look-up of the server's name may hold up the timer
      LOG.warn("The websocket {} was not closed in an orderly way: {}", address(), e.toString());
      closeClient();
    }
  }

  /** Makes it the caller's: messages in order have one reader. */
  void claim() {
    if (!claimed.compareAndSet(false, true)) {
      throw new IllegalStateException("Another route already consumes " + address());
    }
  }

  /** Leaves it to the next reader. */
  void release() {
    claimed.set(false);
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

  /** The address without what might be secret. */
  String address() {
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
      pinging =
          timer.scheduleWithFixedDelay(
              guarded(this::ping), interval, interval, TimeUnit.MILLISECONDS);
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
      BoundRequestBuilder request = client.prepareGet(uri.toString());
      if (configuration.getUsername() != null) {
        // a header of our own: no realm, so that nothing asks for the password again and no URL can
        // show it
        request.setHeader(
            "Authorization", basic(configuration.getUsername(), configuration.getPassword()));
      }
      session = new WebSocketSession(this);
      request.execute(session.upgradeHandler());
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
    timer.schedule(
        guarded(() -> checkHeardSince(current, sent)),
        configuration.getPongTimeout(),
        TimeUnit.MILLISECONDS);
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
    String why = refused ? refusal(status) : failure(cause);
    // waiting does not mend a client's error: from the first on, tries are rarer. A server's own,
    // like
    // the 503 of an Asterisk that is starting, passes.
    boolean rarely = refused && status < 500;
    long maximum =
        rarely ? configuration.getRefusedMaximumDelay() : configuration.getReconnectMaximumDelay();
    int failures = rarely ? state.failures() + 3 : state.failures();
    long delay =
        Backoff.delay(
            configuration.getReconnectInitialDelay(),
            maximum,
            failures,
            ThreadLocalRandom.current()::nextDouble);
    if (!why.equals(loggedReason)) {
      loggedReason = why;
      LOG.warn("{}; trying again every {} s at the latest", why, Math.max(1, maximum / 1000));
    } else {
      LOG.debug("{}; trying again in {} ms", why, delay);
    }
    state = state.failedAgain(why, status);
    timer.schedule(guarded(this::connect), delay, TimeUnit.MILLISECONDS);
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
      long delay =
          Backoff.delay(
              configuration.getReconnectInitialDelay(),
              configuration.getReconnectMaximumDelay(),
              failures,
              ThreadLocalRandom.current()::nextDouble);
      timer.schedule(guarded(this::connect), delay, TimeUnit.MILLISECONDS);
    }
  }

  private void lost(String why, int failures) {
    state = state.nowLost(why, failures);
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.DISCONNECTED));
    }
  }

  private String failure(Throwable cause) {
    if (has(cause, NotSslRecordException.class)) {
      return address() + ": no TLS connection can be made: the server does not speak TLS";
    }
    if (has(cause, SSLException.class)) {
      return address() + ": no TLS connection can be made: " + rootMessage(cause);
    }
    return address() + " is not reachable: " + rootMessage(cause);
  }

  private String refusal(int status) {
    String what = address() + " refuses the websocket with " + status;
    return switch (status) {
      case 400 -> what + ": the upgrade names no application; set ari.app";
      case 401, 403 -> what + ": check user name and password, and that the user may use it";
      case 404 -> what + ": check the address's path, and that the server's ARI is enabled";
      default ->
          status >= 500
              ? what + ": the server is not ready for it"
              : what + ": this is no websocket; check the address";
    };
  }

  /** A task that throws would end its schedule, silently. */
  private Runnable guarded(Runnable task) {
    return () -> {
      try {
        task.run();
      } catch (RuntimeException e) {
        LOG.error("The websocket {} has an internal error; it goes on", address(), e);
      }
    };
  }

  private static String basic(String username, String password) {
    String both = username + ":" + (password == null ? "" : password);
    return "Basic " + Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
  }

  private static boolean has(Throwable cause, Class<? extends Throwable> type) {
    return ObjectHelper.getException(type, cause) != null;
  }

  private static String rootMessage(Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
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
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.CONNECTED));
    }
    timer.execute(guarded(() -> onOpened(opened)));
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
    timer.execute(guarded(() -> onConnectFailed(failed, cause, status)));
  }

  void broken(WebSocketSession broken, Throwable cause) {
    String why;
    if (cause instanceof TooLongFrameException
        || cause instanceof CorruptedWebSocketFrameException) {
      why =
          "a message is larger than maxMessageSize="
              + configuration.getMaxMessageSize()
              + " bytes or malformed ("
              + cause.getMessage()
              + ")";
      LOG.error("{}: {}; it is lost", address(), why);
    } else {
      why = rootMessage(cause);
    }
    timer.execute(guarded(() -> abandon(broken, why)));
  }

  void closed(WebSocketSession gone, int code, String reason) {
    String why =
        reason == null || reason.isEmpty()
            ? "closed with code " + code
            : reason + " (code " + code + ")";
    timer.execute(guarded(() -> onClosed(gone, why)));
  }
}
