// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.error.ErrorMessages;
import java.io.File;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Store in the table {@code ari_proxy_call_contexts} of a PostgreSQL server or an SQLite file.
 *
 * <p>A missing table is created. Acknowledged writes are on disk: they survive a crash of the proxy
 * or the server, and a power failure.
 */
public final class JdbcStore implements CallContextStore {

  private static final String POSTGRESQL = "jdbc:postgresql:";

  private static final String SQLITE = "jdbc:sqlite:";

  private static final String TABLE = "ari_proxy_call_contexts";

  private static final String CREATE_TABLE =
      "CREATE TABLE IF NOT EXISTS "
          + TABLE
          + " (asterisk TEXT NOT NULL, app TEXT NOT NULL, resource TEXT NOT NULL, value TEXT NOT NULL,"
          + " PRIMARY KEY (asterisk, app, resource))";
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

  /** Minimum timeout of Hikari. */
  private static final Duration MIN_TIMEOUT = Duration.ofMillis(250);

  private static final int ROWS_PER_FETCH = 1_000;

  private final String namespace;
  private final String app;
  private final SecretRedactor redactor;
  private final Optional<File> sqliteFile;
  private final HikariDataSource pool;

  private boolean tableExists;

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
    HikariConfig config = new HikariConfig();
    config.setPoolName("call-contexts");
    try {
      if (url.reveal().startsWith(POSTGRESQL)) {
        PGSimpleDataSource postgresql = postgresql(url, username, password, timeout);
        String effectivePassword = postgresql.getPassword();
        redactor =
            new SecretRedactor(url, new Secret(effectivePassword == null ? "" : effectivePassword));
        sqliteFile = Optional.empty();
        config.setDataSource(postgresql);
      } else {
        redactor = new SecretRedactor(password);
        sqliteFile = Optional.of(parseFile(url));
        config.setDataSource(sqlite(url, timeout));
      }
    } catch (IllegalArgumentException e) {
      // the message can contain the password
      throw new IllegalArgumentException("the JDBC URL is malformed", null);
    }
    // one thread uses it, and SQLite supports one writer
    config.setMaximumPoolSize(1);
    config.setMinimumIdle(0);
    config.setInitializationFailTimeout(-1);
    long milliseconds = Math.max(timeout.toMillis(), MIN_TIMEOUT.toMillis());
    config.setConnectionTimeout(milliseconds);
    config.setValidationTimeout(milliseconds);
    this.pool = new HikariDataSource(config);
  }

  private static PGSimpleDataSource postgresql(
      Secret url, String username, Secret password, Duration timeout) {
    PGSimpleDataSource source = new PGSimpleDataSource();
    source.setURL(url.reveal());
    if (!username.isEmpty()) {
      source.setUser(username);
      source.setPassword(password.reveal());
    }
    int seconds = (int) Math.max(1, (timeout.toMillis() + 999) / 1_000);
    source.setConnectTimeout(seconds);
    source.setLoginTimeout(seconds);
    source.setSocketTimeout(seconds);
    source.setTcpKeepAlive(true);
    source.setApplicationName("ari-proxy");
    return source;
  }

  private static DataSource sqlite(Secret url, Duration timeout) {
    SQLiteConfig config = new SQLiteConfig();
    // WAL: readers and the writer do not block each other, and a write is one fsync
    config.setJournalMode(SQLiteConfig.JournalMode.WAL);
    config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
    config.setBusyTimeout((int) timeout.toMillis());
    // upgrading a read transaction to a write fails immediately while another one writes
    config.setTransactionMode(SQLiteConfig.TransactionMode.IMMEDIATE);
    SQLiteDataSource source = new SQLiteDataSource(config);
    source.setUrl(url.reveal());
    return source;
  }

  @Override
  public void readAll(BiConsumer<String, String> sink) throws Exception {
    inTransaction(
        connection -> {
          try (PreparedStatement read = connection.prepareStatement(SELECT)) {
            read.setString(1, namespace);
            read.setString(2, app);
            // within a transaction, PostgreSQL then sends the rows in batches
            read.setFetchSize(ROWS_PER_FETCH);
            try (ResultSet rows = read.executeQuery()) {
              while (rows.next()) {
                JdbcRow row = new JdbcRow(rows.getString(1), rows.getString(2));
                sink.accept(row.key(), row.text());
              }
            }
          }
        });
  }

  @Override
  public void write(List<Change> changes) throws Exception {
    inTransaction(
        connection -> {
          try (PreparedStatement upsert = connection.prepareStatement(UPSERT);
              PreparedStatement delete = connection.prepareStatement(DELETE)) {
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

  private interface Operation {
    void run(Connection connection) throws SQLException;
  }

  private void inTransaction(Operation operation) throws Exception {
    try (Connection connection = pool.getConnection()) {
      try {
        ensureTable(connection);
        connection.setAutoCommit(false);
        // the pool rolls back uncommitted changes when the connection is returned
        operation.run(connection);
        connection.commit();
      } catch (SQLException | AssertionError e) {
        // after a full disk, SQLite has rolled back while its driver assumes a transaction: every
        // further commit would fail
        pool.evictConnection(connection);
        throw e;
      }
    } catch (SQLException e) {
      tableExists = false;
      if (Thread.interrupted()) {
        // the pool reports an interrupt as a database failure
        throw new InterruptedException();
      }
      throw redactor.redact(sqliteFile.<Exception>map(file -> withFileName(file, e)).orElse(e));
    } catch (AssertionError e) {
      // with assertions enabled, PostgreSQL's driver throws an AssertionError if the connection
      // breaks during a batch
      throw new IOException("the database connection broke", null);
    }
  }

  private static File parseFile(Secret url) {
    return new File(url.reveal().substring(SQLITE.length()).replaceFirst("\\?.*", ""));
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
  private void ensureTable(Connection connection) throws SQLException {
    if (tableExists) {
      return;
    }
    try (Statement statement = connection.createStatement()) {
      if (!isTablePresent(statement)) {
        statement.execute(CREATE_TABLE);
      }
    }
    tableExists = true;
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
    pool.close();
  }
}
