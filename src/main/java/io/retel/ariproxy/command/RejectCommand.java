// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Rejects a command on behalf of a route, with the status and the message in its exchange
 * properties; the controller gets them in a RESPONSE. For edits of {@code execute-command}, before
 * the request is sent.
 */
public final class RejectCommand implements Processor {

  /** The status, 400 to 499; {@value #DEFAULT_STATUS} if not set or not among these. */
  static final String STATUS = "rejectionStatus";

  /** The reason, for the controller. */
  static final String MESSAGE = "rejectionMessage";

  private static final int DEFAULT_STATUS = 403;

  @Override
  public void process(Exchange exchange) {
    int status = exchange.getProperty(STATUS, DEFAULT_STATUS, int.class);
    throw new CommandRejectedException(
        status >= 400 && status < 500 ? status : DEFAULT_STATUS,
        exchange.getProperty(MESSAGE, "Rejected by a route of this proxy", String.class));
  }
}
