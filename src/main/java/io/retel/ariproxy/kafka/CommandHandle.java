// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.kafka;

import org.apache.camel.component.kafka.consumer.KafkaManualCommit;

/**
 * Position of a command in its partition, and its state: started, then completed or released.
 *
 * <p>A released command is executed by the next owner of the partition. Thread-safe.
 */
public interface CommandHandle extends KafkaManualCommit {

  /**
   * Marks the command as started.
   *
   * @return false if it must not be executed: its partition is released, and the next owner reads
   *     it again
   */
  boolean tryStart();

  /** Returns whether the command has been started. */
  boolean started();

  /** Marks the command as completed: its RESPONSE is acknowledged. */
  @Override
  void commit();

  /**
   * Releases the command and all later ones of its partition; the partition must then be revoked.
   */
  void release();

  /** Returns whether the command is released to another proxy. */
  boolean released();
}
