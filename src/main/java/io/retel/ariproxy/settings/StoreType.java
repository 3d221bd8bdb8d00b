package io.retel.ariproxy.settings;

/** Where call contexts outlive the process: the values of {@code callcontext.store}. */
public enum StoreType {
  /** A compacted topic of the proxy's own. */
  KAFKA,
  /** Nowhere. */
  MEMORY,
  /** A Redis server. */
  REDIS,
  /** A PostgreSQL server or an SQLite file. */
  JDBC,
  /** A Cassandra cluster. */
  CASSANDRA
}
