// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.TlsErrors;
import java.io.File;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;

/**
 * Store in the table {@code ari_proxy_call_contexts} of a PostgreSQL server or an SQLite file, over
 * one connection.
 *
 * <p>A missing table is created. Acknowledged writes are on disk: they survive a crash of the proxy
 * or the server, and a power failure.
 */
public final class JdbcStore implements CallContextStore {

  private static final String POSTGRESQL = "jdbc:postgresql:";

  /** SQLite's own limit of a value, in bytes. */
  private static final long MAX_SQLITE_LENGTH = 1_000_000_000;

  /** Such as {@code password} and {@code sslpassword}. */
  private static final Pattern PASSWORD_PARAMETER = Pattern.compile("(?i)[?&]\\w*password=([^&]+)");

  private static final String TABLE = "ari_proxy_call_contexts";

  private static final String CREATE_TABLE =
      "CREATE TABLE IF NOT EXISTS "
          + TABLE
          + " (asterisk TEXT NOT NULL, app TEXT NOT NULL, resource TEXT NOT NULL, value TEXT NOT"
          + " NULL, PRIMARY KEY (asterisk, app, resource))";
  private static final String PROBE_TABLE = "SELECT 1 FROM " + TABLE + " WHERE 1 = 0";
  private static final String SELECT =
      "SELECT resource, value FROM " + TABLE + " WHERE asterisk = ? AND app = ?";
  private static final String UPSERT =
      "INSERT INTO "
          + TABLE
          + " (asterisk, app, resource, value) VALUES (?, ?, ?, ?)"
          + " ON CONFLICT (asterisk, app, resource) DO UPDATE SET value = EXCLUDED.value";
  private static final String DELETE =
      "DELETE FROM " + TABLE + " WHERE asterisk = ? AND app = ? AND resource = ?";

  private static final String APPLICATION = "ari-proxy";

  private static final String SELECT_SESSION =
      "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()";
  private static final String END_SESSION =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ? AND backend_start = ?"
          + " AND pid <> pg_backend_pid() AND application_name = '"
          + APPLICATION
          + "'";

  /** The class of SQL states of values that the database does not accept. */
  private static final String DATA_EXCEPTION = "22";

  /**
   * Silent, since it prints text of the server to standard error at each failed attempt; the proxy
   * logs the failure. Referenced here, since an unreferenced logger loses its level.
   */
  private static final Logger POSTGRESQL_LOG = Logger.getLogger("org.postgresql");

  static {
    POSTGRESQL_LOG.setLevel(Level.OFF);
  }

  /** Part of the message of PostgreSQL's driver if a fetch is too large, in each language. */
  private static final String FETCH_EXCEEDED = "maxResultBuffer";

  private static final int BUSY_POLL_MS = 10;

  /** The part of SQLite's error codes that extended ones have in common. */
  private static final int PRIMARY_CODE = 0xff;

  private final String namespace;
  private final String app;
  private volatile SecretRedactor redactor;
  private final Optional<File> sqliteFile;
  private final Database database;
  private final Duration timeout;
  private final int timeoutSeconds;

  /** Its table exists; discarded after any failure. */
  private volatile @Nullable Connection connection;

  /** PostgreSQL's session of the last connection. */
  private @Nullable Session session;

  /** A session of PostgreSQL; a later one can have the same process id. */
  private record Session(int processId, OffsetDateTime start) {}

  /**
   * Does not connect yet, so the database can be down.
   *
   * @param url {@code jdbc:postgresql:} or {@code jdbc:sqlite:} followed by the driver's syntax
   * @param username the user name; empty for none, or if the URL contains it
   * @param password the user's password
   * @param timeout for the database to respond
   * @throws IllegalArgumentException if the URL is malformed
   */
  public JdbcStore(
      Secret url,
      String username,
      Secret password,
      String namespace,
      String app,
      Duration timeout) {
    this.namespace = namespace;
    this.app = app;
    this.timeout = timeout;
    this.timeoutSeconds = (int) Math.max(1, (timeout.toMillis() + 999) / 1_000);
    try {
      if (url.reveal().startsWith(POSTGRESQL)) {
        redactor = redactor(url, password);
        // fails now if it is malformed
        postgresql(url.reveal());
        sqliteFile = Optional.empty();
        database = () -> connectToPostgresql(url, username, password);
      } else {
        redactor = redactor(url, password);
        SqliteUrl sqliteUrl = new SqliteUrl(url.reveal());
        sqliteFile = Optional.of(sqliteUrl.file());
        SQLiteDataSource sqlite = sqlite(url, timeout);
        OwnerOnlyFile file = new OwnerOnlyFile(sqliteUrl.file().toPath());
        database =
            () -> {
              if (!sqliteUrl.isInMemory()) {
                file.prepare();
              }
              return sqlite.getConnection();
            };
      }
    } catch (IllegalArgumentException e) {
      // the message can contain the password
      throw new IllegalArgumentException("the JDBC URL is malformed", null);
    }
  }

  private Connection connectToPostgresql(Secret url, String username, Secret password)
      throws SQLException {
    PGSimpleDataSource current;
    try {
      current = postgresql(url, username, password, timeoutSeconds);
    } catch (IllegalArgumentException e) {
      // the message can contain the password
      throw new SQLException("the JDBC URL is malformed", (Throwable) null);
    }
    redactor = redactor(url, password);
    return current.getConnection();
  }

  /** Redacts the passwords of the URL as well, as written and as the driver decodes them. */
  private static SecretRedactor redactor(Secret url, Secret password) {
    Stream<String> inUrl =
        PASSWORD_PARAMETER
            .matcher(url.reveal())
            .results()
            .map(parameter -> parameter.group(1))
            .flatMap(written -> Stream.of(written, decode(written)));
    return new SecretRedactor(
        Stream.concat(Stream.of(url, password), inUrl.map(Secret::new)).toArray(Secret[]::new));
  }

  private static String decode(String parameter) {
    try {
      return URLDecoder.decode(parameter, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return parameter;
    }
  }

  /**
   * Returns the data source of a URL.
   *
   * @throws IllegalArgumentException if it is malformed; the message can contain a password
   */
  static PGSimpleDataSource postgresql(String url) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(url);
    return source;
  }

  private static PGSimpleDataSource postgresql(
      Secret url, String username, Secret password, int timeoutSeconds) {
    PGSimpleDataSource source = postgresql(url.reveal());
    if (!username.isEmpty()) {
      source.setUser(username);
      source.setPassword(password.reveal());
    }
    source.setConnectTimeout(timeoutSeconds);
    source.setLoginTimeout(timeoutSeconds);
    source.setSocketTimeout(timeoutSeconds);
    source.setTcpKeepAlive(true);
    source.setApplicationName(APPLICATION);
    source.setMaxResultBuffer(Long.toString(PagedRead.MAX_PAGE_BYTES));
    return source;
  }

  private static SQLiteDataSource sqlite(Secret url, Duration timeout) {
    SQLiteConfig config = new SQLiteConfig();
    // WAL: readers and the writer do not block each other, and a write is one fsync
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setBusyTimeout((int) timeout.toMillis());
    // upgrading a read transaction to a write fails immediately while another one writes
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    // the driver allocates a whole value
    config.setPragma(
        SQLiteConfig.Pragma.LIMIT_LENGTH,
        Long.toString(Math.min(PagedRead.MAX_PAGE_BYTES, MAX_SQLITE_LENGTH)));
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl(url.reveal());
    return source;
  }

  @Override
  public void readAll(BiConsumer<String, @Nullable String> sink) throws Exception {
    ReadLimit limit = new ReadLimit("the database", timeout);
    PagedRead.readAll(rows -> readAll(sink, rows, limit));
  }

  private void readAll(BiConsumer<String, @Nullable String> sink, int rowsPerFetch, ReadLimit limit)
      throws Exception {
    inTransaction(
        current -> {
          try (PreparedStatement read = current.prepareStatement(SELECT)) {
            read.setString(1, namespace);
            read.setString(2, app);
            // within a transaction, PostgreSQL then sends the rows in batches
            read.setFetchSize(rowsPerFetch);
            try (ResultSet rows = read.executeQuery()) {
              while (rows.next()) {
                limit.check();
                JdbcRow row = new JdbcRow(rows.getString(1), rows.getString(2));
                sink.accept(row.key(), row.text());
              }
            }
          } catch (SQLException e) {
            throw isTooLarge(e) ? new PagedRead.PageTooLargeException("the SQLite file") : e;
          }
        });
  }

  @Override
  public void write(List<Change> changes) throws Exception {
    inTransaction(
        current -> {
          try (PreparedStatement upsert = current.prepareStatement(UPSERT);
              PreparedStatement delete = current.prepareStatement(DELETE)) {
            for (Change change : changes) {
              PreparedStatement statement = change.value() == null ? delete : upsert;
              statement.setString(1, namespace);
              statement.setString(2, app);
              if (change.value() == null) {
                statement.setString(3, JdbcRow.resource(change.key()));
              } else {
                JdbcRow row = JdbcRow.of(change.key(), change.value());
                statement.setString(3, row.resource());
                statement.setString(4, row.value());
              }
              statement.addBatch();
            }
            upsert.executeBatch();
            delete.executeBatch();
          }
        });
  }

  private interface Database {

    /** Connects, with the password as it is now. */
    Connection connect() throws SQLException;
  }

  private interface Operation {
    void run(Connection current) throws Exception;
  }

  private void inTransaction(Operation operation) throws Exception {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    try {
      Connection current = connection();
      current.setAutoCommit(false);
      operation.run(current);
      // commits; SQLite's driver would otherwise start the next transaction, which locks the file
      current.setAutoCommit(true);
    } catch (Exception | AssertionError e) {
      // also after an error of one statement: after a full disk, SQLite has rolled back while its
      // driver assumes a transaction, and every further commit would fail
      discardConnection();
      if (e instanceof InterruptedException || Thread.interrupted()) {
        // PostgreSQL's driver reports an interrupt as a failure
        throw new InterruptedException();
      }
      if (e instanceof PagedRead.PageTooLargeException) {
        throw e;
      }
      // its driver has the limit in connections to PostgreSQL only
      if (String.valueOf(e.getMessage()).contains(FETCH_EXCEEDED)) {
        throw new PagedRead.PageTooLargeException("PostgreSQL");
      }
      Exception redacted = redactor.redact(describe(e));
      throw isRejection(e) ? new RecordRejectedException(redacted) : redacted;
    }
  }

  /** Whether the data is the cause, such as a character that the database's encoding lacks. */
  private static boolean isRejection(Throwable failure) {
    return failure instanceof SQLException sql
        && (isTooLarge(sql)
            || sql.getSQLState() != null && sql.getSQLState().startsWith(DATA_EXCEPTION));
  }

  /** Whether a value exceeds SQLite's limit of this connection. */
  private static boolean isTooLarge(SQLException failure) {
    return failure.getErrorCode() == SQLiteErrorCode.SQLITE_TOOBIG.code;
  }

  private Exception describe(Throwable failure) {
    if (failure instanceof AssertionError) {
      // with assertions enabled, PostgreSQL's driver throws it if the connection breaks during a
      // batch
      return new IOException("the database connection broke", null);
    }
    if (sqliteFile.isEmpty()) {
      return TlsErrors.describe(failure, "sslrootcert (in callcontext.jdbc-url)")
          .<Exception>map(IOException::new)
          .orElse((Exception) failure);
    }
    return failure instanceof SQLException sql
        ? withFileName(sqliteFile.get(), sql)
        : (Exception) failure;
  }

  /**
   * SQLite does not wait for the lock of a file that another process is about to create or to
   * change to WAL.
   */
  private Connection connect() throws SQLException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeoutSeconds);
    while (true) {
      try {
        return database.connect();
      } catch (SQLException e) {
        if (sqliteFile.isEmpty()
            || (e.getErrorCode() & PRIMARY_CODE) != SQLiteErrorCode.SQLITE_BUSY.code
            || System.nanoTime() - deadline > 0) {
          throw e;
        }
        Thread.sleep(BUSY_POLL_MS);
      }
    }
  }

  /** Returns the open connection, or a new one if it is broken. */
  private Connection connection() throws SQLException, InterruptedException {
    Connection current = connection;
    if (current != null && !current.isValid(timeoutSeconds)) {
      discardConnection();
      current = null;
    }
    if (current == null) {
      current = connect();
      connection = current;
      if (sqliteFile.isEmpty()) {
        endLastSession(current);
        limitOrphanedSession(current);
      }
      // in its own transaction: PostgreSQL aborts one in which a statement has failed
      ensureTable(current);
    }
    return current;
  }

  /**
   * Ends the session of the connection before. If the server has not noticed that this connection
   * broke, the session's rows stay locked: every later write of them fails, and would leave another
   * session that waits for the lock.
   */
  private void endLastSession(Connection opened) throws SQLException {
    Session last = session;
    if (last != null) {
      try (PreparedStatement statement = opened.prepareStatement(END_SESSION)) {
        statement.setInt(1, last.processId());
        statement.setObject(2, last.start());
        statement.executeQuery().close();
      }
    }
    try (Statement statement = opened.createStatement();
        ResultSet own = statement.executeQuery(SELECT_SESSION)) {
      // behind a connection pooler, another session can be running already
      session =
          own.next() ? new Session(own.getInt(1), own.getObject(2, OffsetDateTime.class)) : null;
    }
  }

  /**
   * Bounds the time that rows stay locked if this machine vanishes, for the proxy that replaces it:
   * by default the server only notices after two hours. The limit of idle transactions does not
   * apply between the statements of a batch, keepalive does.
   */
  private void limitOrphanedSession(Connection opened) throws SQLException {
    try (Statement statement = opened.createStatement()) {
      statement.execute(
          ("SET idle_in_transaction_session_timeout = '%1$ds'; SET tcp_keepalives_idle = %1$d;"
                  + " SET tcp_keepalives_interval = %1$d; SET tcp_keepalives_count = 3")
              .formatted(timeoutSeconds));
    }
  }

  private void discardConnection() {
    Connection discarded = connection;
    connection = null;
    if (discarded != null) {
      try {
        discarded.close();
      } catch (SQLException e) {
        // it is broken
      }
    }
  }

  /** Adds the file name, which the driver's message lacks. */
  private static IOException withFileName(File file, SQLException failure) {
    IOException described =
        new IOException(
            "cannot use the SQLite file "
                + file.getAbsolutePath()
                + ": "
                + ErrorMessages.singleLine(failure));
    described.addSuppressed(failure);
    return described;
  }

  /**
   * Checks before creating: PostgreSQL rejects CREATE TABLE IF NOT EXISTS without permission to
   * create.
   */
  private static void ensureTable(Connection opened) throws SQLException {
    try (Statement statement = opened.createStatement()) {
      if (!isTablePresent(statement)) {
        statement.execute(CREATE_TABLE);
      }
    }
  }

  private static boolean isTablePresent(Statement statement) {
    try {
      statement.executeQuery(PROBE_TABLE).close();
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  @Override
  public void close() {
    discardConnection();
  }
}
