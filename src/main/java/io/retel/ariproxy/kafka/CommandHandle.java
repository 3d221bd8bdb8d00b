package io.retel.ariproxy.kafka;

import org.apache.camel.component.kafka.consumer.KafkaManualCommit;

/**
 * A command's place in its partition, and what becomes of it there: it is begun and then answered,
 * or left to whoever reads the partition next. Safe for use by many threads.
 */
public interface CommandHandle extends KafkaManualCommit {

  /** The name of the exchange property that carries it. */
  String PROPERTY = "commandHandle";

  /**
   * The command is about to be carried out.
   *
   * @return false if it must not be: its partition is given back, and whoever gets that reads it
   *     again
   */
  boolean tryStart();

  /** Whether it has been begun. */
  boolean started();

  /** The command is answered, and its RESPONSE acknowledged. */
  @Override
  void commit();

  /**
   * The command is not carried out here, and neither is what stands behind it in its partition:
   * that has to be given back.
   */
  void release();

  /** Whether somebody else carries it out. */
  boolean released();
}
