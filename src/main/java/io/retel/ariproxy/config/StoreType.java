// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

/** Where mappings survive a restart: the values of {@code callcontext.store}. */
public enum StoreType {
  /** A compacted topic per proxy. */
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
