package io.retel.ariproxy.component.ahcws;

import io.netty.channel.Channel;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.websocketx.CorruptedWebSocketFrameException;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.camel.CamelContext;
import org.asynchttpclient.AsyncHttpClient;
import org.asynchttpclient.BoundRequestBuilder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One websocket to one address: opened, kept alive, and opened again for ever until it is closed.
 *
 * <p>All that changes its state runs on the timer's one thread; Netty's thread only puts messages
 * into the buffer. While the buffer is full the socket is not read, and the server's silence means
 * nothing.
 */
final class WebSocketConnection implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(WebSocketConnection.class);

  private final URI uri;
  private final AhcWsConfiguration configuration;
  private final MessageBuffer buffer;
  private final ScheduledExecutorService timer;
  private final CamelContext camelContext;

  private volatile ConnectionState state = ConnectionState.initial();
  private volatile boolean closed;
  private volatile boolean readingPaused;
  private volatile Channel initialized;
  private volatile long lastHeard;

  // touched on the timer's thread only
  private AsyncHttpClient client;
  private WebSocketSession session;
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
    timer.execute(this::connect);
    long interval = configuration.getPingInterval();
    if (interval > 0) {
      timer.scheduleWithFixedDelay(guarded(this::ping), interval, interval, TimeUnit.MILLISECONDS);
    }
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
      timer.submit(this::disconnect).get(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.warn("The websocket {} was not closed in an orderly way: {}", address(), e.toString());
    }
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
    if (readingPaused && buffer.hasRoom()) {
      timer.execute(guarded(this::resumeReading));
    }
    return message;
  }

  // ---- the timer's thread

  private void connect() {
    if (closed) {
      return;
    }
    try {
      if (client == null) {
        client =
            AhcClients.create(uri, configuration, camelContext, channel -> initialized = channel);
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
    WebSocketSession open = session;
    session = null;
    if (open != null) {
      open.close();
    }
    if (state.connected()) {
      lost("The websocket was closed by this side");
    }
    if (client != null) {
      try {
        client.close();
      } catch (IOException e) {
        LOG.debug("Closing the HTTP client failed", e);
      }
      client = null;
    }
  }

  private void ping() {
    WebSocketSession current = session;
    if (current == null || !state.connected()) {
      return;
    }
    if (readingPaused) {
      lastHeard = System.nanoTime();
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
    if (session == pinged && !readingPaused && lastHeard - sent < 0) {
      abandon(pinged, "No sign of life within " + configuration.getPongTimeout() + " ms of a ping");
    }
  }

  /** Drops a session that is of no use any more, without waiting for the server to agree. */
  private void abandon(WebSocketSession useless, String why) {
    if (session == useless) {
      useless.close();
      onClosed(useless, why);
    }
  }

  private void resumeReading() {
    WebSocketSession current = session;
    if (readingPaused && current != null && buffer.hasRoom()) {
      readingPaused = false;
      lastHeard = System.nanoTime();
      current.read(true);
      LOG.info("The websocket {} is read again", address());
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
          "Connected to {} after {} s and {} failed tries", address(), gap.toSeconds(), failures);
    }
  }

  private void onConnectFailed(WebSocketSession failed, Throwable cause, int status) {
    if (closed || session != failed) {
      return;
    }
    session = null;
    boolean refused = status > 0;
    String why = refused ? refusal(status) : address() + " is not reachable: " + rootMessage(cause);
    long maximum =
        refused ? configuration.getRefusedMaximumDelay() : configuration.getReconnectMaximumDelay();
    // waiting does not mend a refusal: from the first on, tries are rarer
    int failures = refused ? state.failures() + 3 : state.failures();
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
    lost(why);
    if (!closed) {
      LOG.warn("Lost {}: {}; connecting again", address(), why);
      long delay =
          Backoff.delay(
              configuration.getReconnectInitialDelay(),
              configuration.getReconnectMaximumDelay(),
              0,
              ThreadLocalRandom.current()::nextDouble);
      timer.schedule(guarded(this::connect), delay, TimeUnit.MILLISECONDS);
    }
  }

  private void lost(String why) {
    state = state.nowLost(why);
    readingPaused = false;
    if (configuration.isFireWebSocketConnectionEvents()) {
      buffer.put(new WebSocketMessage.ConnectionEvent(AhcWsConstants.DISCONNECTED));
    }
  }

  private String refusal(int status) {
    String what = address() + " refuses the websocket with " + status;
    return switch (status) {
      case 400 -> what + ": the upgrade names no application; set ari.app";
      case 401, 403 -> what + ": check user name and password, and that the user may use it";
      case 404 -> what + ": check the address's path, and that the server's ARI is enabled";
      default -> what;
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

  private static String rootMessage(Throwable cause) {
    Throwable root = cause;
    while (root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
  }

  // ---- Netty's thread

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
    lastHeard = System.nanoTime();
    buffer.put(message);
    if (!readingPaused && buffer.full()) {
      readingPaused = true;
      by.read(false);
      LOG.warn(
          "The buffer of {} is full with {} messages; the socket is not read until the route has caught up",
          address(),
          buffer.size());
      // the route may have caught up between the two lines above
      if (buffer.hasRoom()) {
        timer.execute(guarded(this::resumeReading));
      }
    }
  }

  void heard() {
    lastHeard = System.nanoTime();
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
