// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import com.datastax.oss.driver.api.core.AllNodesFailedException;
import com.datastax.oss.driver.api.core.ConsistencyLevel;
import com.datastax.oss.driver.api.core.CqlIdentifier;
import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.CqlSessionBuilder;
import com.datastax.oss.driver.api.core.auth.AuthProvider;
import com.datastax.oss.driver.api.core.auth.AuthenticationException;
import com.datastax.oss.driver.api.core.auth.PlainTextAuthProviderBase;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.context.DriverContext;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.BoundStatement;
import com.datastax.oss.driver.api.core.cql.PreparedStatement;
import com.datastax.oss.driver.api.core.cql.Row;
import com.datastax.oss.driver.api.core.cql.SimpleStatement;
import com.datastax.oss.driver.api.core.metadata.EndPoint;
import com.datastax.oss.driver.api.core.metadata.Node;
import com.datastax.oss.driver.api.core.session.ProgrammaticArguments;
import com.datastax.oss.driver.api.core.ssl.ProgrammaticSslEngineFactory;
import com.datastax.oss.driver.api.core.ssl.SslEngineFactory;
import com.datastax.oss.driver.internal.core.context.DefaultDriverContext;
import com.datastax.oss.driver.internal.core.context.DefaultNettyOptions;
import com.datastax.oss.driver.internal.core.context.InternalDriverContext;
import com.datastax.oss.driver.internal.core.context.NettyOptions;
import com.datastax.oss.protocol.internal.PrimitiveCodec;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.util.concurrent.EventExecutor;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.TlsErrors;
import io.retel.ariproxy.tls.SslContexts;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;

/**
 * Store in the table {@code call_contexts} of a Cassandra keyspace.
 *
 * <p>The keyspace must exist; a missing table is created. Each row expires after two idle timeouts,
 * so that a removed proxy leaves no data. Reads and writes use a quorum of the datacenter's
 * replicas.
 */
public final class CassandraStore implements CallContextStore {

  private static final String TABLE = "call_contexts";

  /** Enough to use the cluster's capacity, but within the limit of one connection. */
  private static final int MAX_CONCURRENT_WRITES = 256;

  /** For the driver to end a request after its timeout. */
  private static final Duration DRIVER_TOLERANCE = Duration.ofSeconds(1);

  /** Cassandra's limit for a value of a primary key. */
  private static final int MAX_KEY_BYTES = 65_535;

  private static final int MAX_BYTES_PER_CHAR = 3;

  /** Maximum TTL of Cassandra. */
  private static final Duration MAX_TTL = Duration.ofSeconds(630_720_000);

  /**
   * Number of partitions for a proxy's rows.
   *
   * <p>Cassandra rejects reads across more than 100,000 tombstones in a partition. That many calls
   * can end within minutes, so with one partition a proxy could no longer start.
   */
  static final int BUCKETS = 64;

  /**
   * Lifetime of tombstones; Cassandra's default is ten days.
   *
   * <p>A row that reappears because a replica missed its deletion is harmless: its resource has
   * ended.
   */
  private static final Duration GC_GRACE = Duration.ofHours(1);

  private final String hosts;
  private final String datacenter;
  private final String keyspace;
  private final String username;
  private final Secret password;
  private final Optional<SslContexts> tls;
  private final String namespace;
  private final String app;
  private final int ttlSeconds;
  private final Duration timeout;
  private final SecretRedactor redactor;
  private final ReplyLimit replyLimit = new ReplyLimit(PagedRead.MAX_PAGE_BYTES);

  private volatile boolean closed;
  private volatile @Nullable CqlSession session;
  private @Nullable Statements statements;

  private record Statements(
      PreparedStatement read, PreparedStatement upsert, PreparedStatement delete) {}

  /**
   * Does not connect yet.
   *
   * @param hosts host:port, or several, separated by commas
   * @param datacenter their datacenter
   * @param keyspace the keyspace, case-sensitive as Cassandra lists it
   * @param username the user name; empty for none
   * @param password the user's password
   * @param tls certificates for TLS; empty for connections without TLS
   * @param idleTimeout time after which an unused mapping expires
   * @param timeout for Cassandra to respond
   */
  public CassandraStore(
      String hosts,
      String datacenter,
      String keyspace,
      String username,
      Secret password,
      Optional<SslContexts> tls,
      String namespace,
      String app,
      Duration idleTimeout,
      Duration timeout) {
    this.hosts = hosts;
    this.datacenter = datacenter;
    this.keyspace = keyspace;
    this.username = username;
    this.password = password;
    this.tls = tls;
    this.namespace = namespace;
    this.app = app;
    Duration ttl = idleTimeout.multipliedBy(2);
    this.ttlSeconds = (int) (ttl.compareTo(MAX_TTL) < 0 ? ttl : MAX_TTL).toSeconds();
    this.timeout = timeout;
    this.redactor = new SecretRedactor(password);
  }

  @Override
  public void readAll(BiConsumer<String, @Nullable String> sink) throws Exception {
    ReadLimit limit = new ReadLimit("Cassandra", timeout);
    PagedRead.readAll(
        rows ->
            execute(
                (cqlSession, prepared) -> {
                  for (int bucket = 0; bucket < BUCKETS; bucket++) {
                    BoundStatement read = prepared.read().bind(namespace, app, bucket);
                    readBucket(cqlSession, read.setPageSize(rows), sink, limit);
                  }
                }));
  }

  /** Reads page after page, so that the heap contains one. */
  private void readBucket(
      CqlSession cqlSession,
      BoundStatement read,
      BiConsumer<String, @Nullable String> sink,
      ReadLimit limit)
      throws Exception {
    replyLimit.reset();
    AsyncResultSet page = await(cqlSession.executeAsync(read));
    emitRows(page, sink);
    while (page.hasMorePages()) {
      limit.check();
      replyLimit.reset();
      page = await(page.fetchNextPage());
      emitRows(page, sink);
    }
  }

  private static void emitRows(AsyncResultSet page, BiConsumer<String, @Nullable String> sink) {
    for (Row row : page.currentPage()) {
      sink.accept(row.getString(0), row.getString(1));
    }
  }

  @Override
  public void write(List<Change> changes) throws Exception {
    for (Change change : changes) {
      checkKey(change.key());
    }
    execute(
        (cqlSession, prepared) -> {
          Semaphore permits = new Semaphore(MAX_CONCURRENT_WRITES);
          AtomicReference<Throwable> failure = new AtomicReference<>();
          for (Change change : changes) {
            acquire(permits, 1);
            if (failure.get() != null) {
              permits.release();
              break;
            }
            cqlSession
                .executeAsync(bind(change, prepared))
                .whenComplete(
                    (result, cause) -> {
                      if (cause != null) {
                        failure.compareAndSet(null, cause);
                      }
                      permits.release();
                    });
          }
          acquire(permits, MAX_CONCURRENT_WRITES);
          if (failure.get() != null) {
            throw failure.get() instanceof Exception cause
                ? cause
                : new ExecutionException(failure.get());
          }
        });
  }

  private static void checkKey(String key) throws RecordRejectedException {
    if (key.length() > MAX_KEY_BYTES / MAX_BYTES_PER_CHAR
        && key.getBytes(StandardCharsets.UTF_8).length > MAX_KEY_BYTES) {
      throw new RecordRejectedException(
          "the key is longer than Cassandra's limit of " + MAX_KEY_BYTES + " bytes");
    }
  }

  private BoundStatement bind(Change change, Statements prepared) {
    String key = change.key();
    int bucket = Math.floorMod(key.hashCode(), BUCKETS);
    return change.value() == null
        ? prepared.delete().bind(namespace, app, bucket, key)
        : prepared.upsert().bind(namespace, app, bucket, key, change.value(), ttlSeconds);
  }

  /** The driver has not ended a request in time. */
  private static final class HungDriverException extends TimeoutException {

    private static final long serialVersionUID = 1L;

    HungDriverException(String message) {
      super(message);
    }
  }

  private interface Operation {
    void run(CqlSession session, Statements prepared) throws Exception;
  }

  private void execute(Operation operation) throws Exception {
    if (Thread.interrupted()) {
      // the driver would swallow the interrupt
      throw new InterruptedException();
    }
    boolean connected = session != null;
    replyLimit.reset();
    try {
      try {
        runInSession(operation);
      } catch (AllNodesFailedException e) {
        if (!connected || replyLimit.isExceeded()) {
          throw e;
        }
        // a new session resolves the names again, and its failure names the cause
        statements = null;
        discardSession();
        runInSession(operation);
      }
    } catch (Exception e) {
      statements = null;
      if (e instanceof AllNodesFailedException) {
        // the driver would reconnect to the same addresses only
        discardSession();
      } else if (e instanceof HungDriverException) {
        discardHungSession();
      }
      throw replyLimit.isExceeded()
          ? new PagedRead.PageTooLargeException("Cassandra")
          : redactor.redact(e);
    }
  }

  private void runInSession(Operation operation) throws Exception {
    CqlSession cqlSession = session();
    if (statements == null) {
      ensureTable(cqlSession);
      statements = prepare(cqlSession);
    }
    operation.run(cqlSession, statements);
  }

  private void discardSession() {
    CqlSession discarded = session;
    session = null;
    if (discarded != null) {
      discarded.forceCloseAsync();
    }
  }

  private CqlSession session() throws Exception {
    discardSessionWithEndedThread();
    CqlSession current = session;
    if (current == null) {
      CqlSessionBuilder builder =
          new LimitedSessionBuilder()
              .addContactPoints(addresses(hosts))
              .withLocalDatacenter(datacenter)
              .withConfigLoader(config());
      if (!username.isEmpty()) {
        builder.withAuthProvider(login());
      }
      tls.ifPresent(contexts -> builder.withSslEngineFactory(sslEngineFactory(contexts)));
      CompletionStage<CqlSession> connecting = builder.buildAsync();
      try {
        current = await(connecting);
        checkDatacenter(current);
        session = current;
      } catch (Exception e) {
        connecting.thenAccept(CqlSession::forceCloseAsync);
        throw e instanceof AllNodesFailedException failed ? toIoException(failed) : e;
      }
      if (closed) {
        current.forceCloseAsync();
      }
    }
    return current;
  }

  /** Limits what the sessions' connections receive and announce; the driver has no option. */
  private final class LimitedSessionBuilder extends CqlSessionBuilder {

    @Override
    protected DriverContext buildContext(
        DriverConfigLoader configLoader, ProgrammaticArguments arguments) {
      return new DefaultDriverContext(configLoader, arguments) {
        @Override
        protected PrimitiveCodec<ByteBuf> buildPrimitiveCodec() {
          return new CassandraReplyCodec(getNettyOptions().allocator(), replyLimit);
        }

        @Override
        protected NettyOptions buildNettyOptions() {
          return new DefaultNettyOptions(this) {
            @Override
            public void afterChannelInitialized(Channel channel) {
              super.afterChannelInitialized(channel);
              replyLimit.addTo(channel);
            }
          };
        }
      };
    }
  }

  /** Returns a login with the password as it is at each connection. */
  private AuthProvider login() {
    return new PlainTextAuthProviderBase("call-contexts") {
      @Override
      protected Credentials getCredentials(EndPoint endPoint, String serverAuthenticator) {
        return new Credentials(username.toCharArray(), password.reveal().toCharArray());
      }
    };
  }

  /** Returns TLS with the certificates as they are at each connection. */
  private static SslEngineFactory sslEngineFactory(SslContexts contexts) {
    return new SslEngineFactory() {
      @Override
      public SSLEngine newSslEngine(EndPoint endPoint) {
        // without a reverse lookup, which would trust the name server
        return new ProgrammaticSslEngineFactory(contexts.get(), null, true, false)
            .newSslEngine(endPoint);
      }

      @Override
      public void close() {}
    };
  }

  /** Discards a session that never responds again, since the driver does not replace a thread. */
  private void discardSessionWithEndedThread() {
    CqlSession current = session;
    if (current == null) {
      return;
    }
    NettyOptions netty = nettyOptions(current);
    if (Stream.of(netty.ioEventLoopGroup(), netty.adminEventExecutorGroup())
        .flatMap(group -> StreamSupport.stream(group.spliterator(), false))
        .anyMatch(EventExecutor::isShuttingDown)) {
      statements = null;
      discardHungSession();
    }
  }

  private void discardHungSession() {
    CqlSession current = session;
    discardSession();
    if (current != null) {
      // a close needs all threads, and would not end the others
      NettyOptions netty = nettyOptions(current);
      netty.onClose();
      netty.getTimer().stop();
    }
  }

  private static NettyOptions nettyOptions(CqlSession opened) {
    return ((InternalDriverContext) opened.getContext()).getNettyOptions();
  }

  /** Returns the same message for the same failure: the driver's contains object ids. */
  private Exception toIoException(AllNodesFailedException failed) {
    Optional<Throwable> first =
        failed.getAllErrors().values().stream().flatMap(List::stream).findFirst();
    if (first.isPresent() && first.get() instanceof AuthenticationException) {
      return new IOException(first.get().getMessage());
    }
    if (first.filter(CassandraStore::isClientRejected).isPresent()) {
      return new IOException(
          "Cassandra rejects the proxy's certificate or requires one (%s); check %s and %s"
              .formatted(
                  ErrorMessages.singleLine(first.get()),
                  CassandraStoreProvider.CERTIFICATE_FILE.key(),
                  CassandraStoreProvider.KEY_FILE.key()));
    }
    Optional<String> tlsFailure =
        first.flatMap(error -> TlsErrors.describe(error, CassandraStoreProvider.CA_FILE.key()));
    if (tlsFailure.isPresent()) {
      return new IOException(tlsFailure.get());
    }
    return new IOException(
        "Cassandra is unreachable at "
            + hosts
            + first.map(error -> ": " + error.getClass().getSimpleName()).orElse(""));
  }

  /** Cassandra's TLS library, OpenSSL, reports an untrusted certificate as an internal error. */
  private static boolean isClientRejected(Throwable failure) {
    return TlsErrors.isClientRejected(failure)
        || ErrorMessages.singleLine(failure).equals("Received fatal alert: internal_error");
  }

  /** Fails on an unknown datacenter; the driver would only report that no node is available. */
  private void checkDatacenter(CqlSession opened) {
    Set<String> datacenters = new TreeSet<>();
    for (Node node : opened.getMetadata().getNodes().values()) {
      datacenters.add(String.valueOf(node.getDatacenter()));
    }
    if (!datacenters.contains(datacenter)) {
      throw new IllegalStateException(
          "Cassandra has no datacenter " + datacenter + "; known datacenters: " + datacenters);
    }
  }

  /**
   * Waits until requests end, which the driver does within the timeout.
   *
   * @throws HungDriverException if it does not: a thread of it has ended
   */
  private void acquire(Semaphore permits, int count)
      throws InterruptedException, HungDriverException {
    if (!permits.tryAcquire(
        count, timeout.plus(DRIVER_TOLERANCE).toNanos(), TimeUnit.NANOSECONDS)) {
      throw new HungDriverException(noResponse());
    }
  }

  private <T> T await(CompletionStage<T> stage) throws Exception {
    try {
      return stage.toCompletableFuture().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } catch (TimeoutException e) {
      throw new TimeoutException(noResponse());
    }
  }

  private String noResponse() {
    return "Cassandra did not respond within " + timeout.toMillis() + " ms";
  }

  private static List<InetSocketAddress> addresses(String hosts) {
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (String host : hosts.split(",")) {
      int colon = host.lastIndexOf(':');
      addresses.add(
          new InetSocketAddress(
              host.substring(0, colon).strip(),
              Integer.parseInt(host.substring(colon + 1).strip())));
    }
    return addresses;
  }

  private DriverConfigLoader config() {
    return DriverConfigLoader.programmaticBuilder()
        .withString(DefaultDriverOption.SESSION_NAME, "call-contexts")
        .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, timeout)
        .withString(DefaultDriverOption.REQUEST_CONSISTENCY, ConsistencyLevel.LOCAL_QUORUM.name())
        // changes have distinct keys, and later ones have a later timestamp
        .withBoolean(DefaultDriverOption.REQUEST_DEFAULT_IDEMPOTENCE, true)
        .withDuration(DefaultDriverOption.CONNECTION_CONNECT_TIMEOUT, timeout)
        .withDuration(DefaultDriverOption.CONNECTION_INIT_QUERY_TIMEOUT, timeout)
        .withDuration(DefaultDriverOption.CONTROL_CONNECTION_TIMEOUT, timeout)
        .withDuration(DefaultDriverOption.RECONNECTION_BASE_DELAY, Duration.ofMillis(200))
        .withDuration(DefaultDriverOption.RECONNECTION_MAX_DELAY, Duration.ofSeconds(2))
        .withStringList(DefaultDriverOption.METADATA_SCHEMA_REFRESHED_KEYSPACES, List.of(keyspace))
        .withInt(DefaultDriverOption.NETTY_IO_SIZE, 1)
        .withInt(DefaultDriverOption.NETTY_ADMIN_SIZE, 1)
        .withBoolean(DefaultDriverOption.NETTY_DAEMON, true)
        // otherwise close() needs two seconds per thread group
        .withInt(DefaultDriverOption.NETTY_IO_SHUTDOWN_QUIET_PERIOD, 0)
        .withInt(DefaultDriverOption.NETTY_ADMIN_SHUTDOWN_QUIET_PERIOD, 0)
        .build();
  }

  /** Checks before creating, since the user can lack permission to create tables. */
  private void ensureTable(CqlSession cqlSession) throws Exception {
    if (isEmpty(
        cqlSession,
        "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?",
        keyspace)) {
      throw new IllegalStateException(
          "Cassandra has no keyspace " + keyspace + "; create it with the replication you need");
    }
    if (isEmpty(
        cqlSession,
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
        keyspace,
        TABLE)) {
      await(
          cqlSession.executeAsync(
              "CREATE TABLE IF NOT EXISTS "
                  + table()
                  + " (asterisk text, app text, bucket int, resource text, value text,"
                  + " PRIMARY KEY ((asterisk, app, bucket), resource)) WITH gc_grace_seconds = "
                  + GC_GRACE.toSeconds()
                  + " AND compaction = {'class': 'LeveledCompactionStrategy'}"));
    }
  }

  private boolean isEmpty(CqlSession cqlSession, String query, Object... values) throws Exception {
    return await(cqlSession.executeAsync(SimpleStatement.newInstance(query, values))).one() == null;
  }

  private Statements prepare(CqlSession cqlSession) throws Exception {
    return new Statements(
        await(
            cqlSession.prepareAsync(
                "SELECT resource, value FROM "
                    + table()
                    + " WHERE asterisk = ? AND app = ? AND bucket = ?")),
        await(
            cqlSession.prepareAsync(
                "INSERT INTO "
                    + table()
                    + " (asterisk, app, bucket, resource, value) VALUES (?, ?, ?, ?, ?) USING TTL ?")),
        await(
            cqlSession.prepareAsync(
                "DELETE FROM "
                    + table()
                    + " WHERE asterisk = ? AND app = ? AND bucket = ? AND resource = ?")));
  }

  private String table() {
    return CqlIdentifier.fromInternal(keyspace).asCql(true) + "." + TABLE;
  }

  @Override
  public void close() {
    closed = true;
    CqlSession openSession = session;
    if (openSession != null) {
      try {
        await(openSession.forceCloseAsync());
      } catch (Exception e) {
        // no request is pending, and daemon threads end with the process
        if (e instanceof InterruptedException) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }
}
