// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MapScanCursor;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScanCursor;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.TlsErrors;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Store in the Redis hash {@code ari-proxy:call-contexts:ASTERISK:APP}, over one connection.
 *
 * <p>The hash expires two idle timeouts after the last write, so that a removed proxy leaves no
 * data. Redis's configuration ({@code appendonly}, {@code appendfsync}) decides whether
 * acknowledged writes survive a crash of Redis.
 */
public final class RedisStore implements CallContextStore {

  /** Entries per command: few round trips, without blocking Redis's other clients. */
  private static final int BATCH_SIZE = 1_000;

  private final Secret uri;
  private final String hash;
  private final Duration expiry;
  private final Duration timeout;
  private volatile SecretRedactor redactor;

  private final ReplyLimit replyLimit = new ReplyLimit(PagedRead.MAX_PAGE_BYTES);
  private volatile Driver driver;
  private volatile @Nullable StatefulRedisConnection<String, String> connection;

  /**
   * Does not connect yet.
   *
   * @param uri {@code redis[s]://[user:password@]host[:port][/database]}
   * @param idleTimeout time after which an unused mapping expires
   * @param timeout for Redis to respond
   * @throws IllegalArgumentException if the URI is malformed
   */
  public RedisStore(
      Secret uri, String namespace, String app, Duration idleTimeout, Duration timeout) {
    // fails now if it is malformed
    parse(uri);
    this.uri = uri;
    this.hash = hash(namespace, app);
    this.expiry = idleTimeout.multipliedBy(2);
    this.timeout = timeout;
    this.redactor = new SecretRedactor(uri);
    this.driver = Driver.create(timeout, replyLimit);
  }

  /**
   * Lettuce's client.
   *
   * @param threads all it has started; it does not replace one that an error has ended
   */
  private record Driver(RedisClient client, ClientResources resources, List<Thread> threads) {

    static Driver create(Duration timeout, ReplyLimit replyLimit) {
      List<Thread> threads = new CopyOnWriteArrayList<>();
      ClientResources resources =
          DefaultClientResources.builder()
              .ioThreadPoolSize(2)
              .computationThreadPoolSize(2)
              .nettyCustomizer(limiting(replyLimit))
              .threadFactoryProvider(pool -> recording(threads, pool))
              // resolves names like all other clients; Lettuce's default queries name servers
              // itself
              .addressResolverGroup(DefaultAddressResolverGroup.INSTANCE)
              .build();
      RedisClient client = RedisClient.create(resources);
      // Lettuce's auto-reconnect would resend commands in flight, possibly after newer ones.
      // Instead a failed connection is discarded, and the next use opens another
      client.setOptions(
          ClientOptions.builder()
              .autoReconnect(false)
              .socketOptions(
                  SocketOptions.builder().connectTimeout(timeout).keepAlive(true).build())
              .build());
      return new Driver(client, resources, threads);
    }

    private static NettyCustomizer limiting(ReplyLimit replyLimit) {
      return new NettyCustomizer() {
        @Override
        public void afterChannelInitialized(Channel channel) {
          replyLimit.addTo(channel);
          RedisReplyHeads.addTo(channel, replyLimit);
        }
      };
    }

    private static ThreadFactory recording(List<Thread> threads, String pool) {
      ThreadFactory factory = new DefaultThreadFactory(pool, true);
      return task -> {
        Thread thread = factory.newThread(task);
        threads.add(thread);
        return thread;
      };
    }

    boolean hasEndedThread() {
      return threads.stream().anyMatch(thread -> thread.getState() == Thread.State.TERMINATED);
    }

    void shutdownAsync() {
      client.shutdownAsync(0, 0, TimeUnit.MILLISECONDS);
      resources.shutdown(0, 0, TimeUnit.MILLISECONDS);
    }
  }

  /** Escapes colons in the namespace, so that names are unambiguous. */
  private static String hash(String namespace, String app) {
    return "ari-proxy:call-contexts:"
        + namespace.replace("%", "%25").replace(":", "%3A")
        + ":"
        + app;
  }

  private static RedisURI parse(Secret uri) {
    try {
      return RedisURI.create(uri.reveal());
    } catch (RuntimeException e) {
      // the message can contain the password
      throw new IllegalArgumentException("the Redis URI is malformed", null);
    }
  }

  private static Secret password(RedisURI uri) {
    char[] password = uri.getCredentialsProvider().resolveCredentials().block().getPassword();
    return new Secret(password == null ? "" : String.valueOf(password));
  }

  @Override
  public void readAll(BiConsumer<String, @Nullable String> sink) throws Exception {
    ReadLimit limit = new ReadLimit("Redis", timeout);
    PagedRead.readAll(entries -> readAll(sink, entries, limit));
  }

  /** Reads all over one connection: another one can be to a server that does not know a cursor. */
  private void readAll(BiConsumer<String, @Nullable String> sink, int pageSize, ReadLimit limit)
      throws Exception {
    execute(
        commands -> {
          ScanCursor cursor = ScanCursor.INITIAL;
          while (!cursor.isFinished()) {
            limit.check();
            replyLimit.reset();
            MapScanCursor<String, String> page =
                await(commands.hscan(hash, cursor, ScanArgs.Builder.limit(pageSize)), deadline());
            // HSCAN can return entries twice
            page.getMap().forEach(sink);
            cursor = page;
          }
        });
  }

  @Override
  public void write(List<Change> changes) throws Exception {
    execute(
        commands -> {
          List<CompletionStage<?>> sent = new ArrayList<>();
          for (int from = 0; from < changes.size(); from += BATCH_SIZE) {
            int to = Math.min(from + BATCH_SIZE, changes.size());
            send(changes.subList(from, to), commands, sent);
          }
          sent.add(commands.expire(hash, expiry));
          long deadline = deadline();
          for (CompletionStage<?> each : sent) {
            await(each, deadline);
          }
        });
  }

  private void send(
      List<Change> changes,
      RedisAsyncCommands<String, String> commands,
      List<CompletionStage<?>> sent) {
    Map<String, String> values = new HashMap<>();
    List<String> deletedKeys = new ArrayList<>();
    for (Change change : changes) {
      if (change.value() == null) {
        deletedKeys.add(change.key());
      } else {
        values.put(change.key(), change.value());
      }
    }
    if (!values.isEmpty()) {
      sent.add(commands.hset(hash, values));
    }
    if (!deletedKeys.isEmpty()) {
      sent.add(commands.hdel(hash, deletedKeys.toArray(String[]::new)));
    }
  }

  private interface Operation {
    void run(RedisAsyncCommands<String, String> commands) throws Exception;
  }

  private void execute(Operation operation) throws Exception {
    replyLimit.reset();
    try {
      operation.run(connection().async());
    } catch (Exception e) {
      // even after a timeout: the connection can be dead without being detected
      discardConnection();
      throw replyLimit.isExceeded()
          ? new PagedRead.PageTooLargeException("Redis")
          : describe(redactor.redact(e));
    }
  }

  /** Returns a failure of TLS with its remedy, any other as it is. */
  private static Exception describe(Exception failure) {
    return TlsErrors.describe(failure, "-Djavax.net.ssl.trustStore (JAVA_OPTS)")
        .<Exception>map(IOException::new)
        .orElse(failure);
  }

  private StatefulRedisConnection<String, String> connection() throws Exception {
    if (connection != null && !connection.isOpen()) {
      discardConnection();
    }
    if (driver.hasEndedThread()) {
      discardConnection();
      driver.shutdownAsync();
      driver = Driver.create(timeout, replyLimit);
    }
    if (connection == null) {
      CompletableFuture<StatefulRedisConnection<String, String>> connecting =
          driver.client().connectAsync(StringCodec.UTF8, currentUri()).toCompletableFuture();
      try {
        connection = await(connecting, deadline());
      } catch (Exception e) {
        connecting.thenAccept(StatefulRedisConnection::closeAsync);
        throw e;
      }
    }
    return connection;
  }

  /** Returns the address with the password as it is now. */
  private RedisURI currentUri() {
    RedisURI current = parse(uri);
    current.setTimeout(timeout);
    redactor = new SecretRedactor(uri, password(current));
    return current;
  }

  private void discardConnection() {
    StatefulRedisConnection<String, String> discarded = connection;
    connection = null;
    if (discarded != null) {
      discarded.closeAsync();
    }
  }

  private long deadline() {
    return System.nanoTime() + timeout.toNanos();
  }

  private <T> T await(CompletionStage<T> stage, long deadline) throws Exception {
    try {
      return stage
          .toCompletableFuture()
          .get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception cause ? cause : e;
    } catch (CancellationException e) {
      throw new IOException("the Redis connection is closed", e);
    } catch (TimeoutException e) {
      throw new TimeoutException("Redis did not respond within " + timeout.toMillis() + " ms");
    }
  }

  @Override
  public void close() {
    Driver current = driver;
    try {
      // with a limit, since it does not end if a thread has ended
      await(
          current.client().shutdownAsync(0, timeout.toMillis(), TimeUnit.MILLISECONDS), deadline());
    } catch (Exception e) {
      if (e instanceof InterruptedException) {
        Thread.currentThread().interrupt();
      }
    }
    // with a limit, since a thread that resolves a name does not end before the name server
    // responds
    current
        .resources()
        .shutdown(0, timeout.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }
}
