// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.component.MessageCompletion;
import org.apache.camel.Exchange;

/**
 * The part of the limits of {@link Subscriptions} that a command needs, from its check until its
 * result is known and its sources are recorded: commands of different calls together do not exceed
 * the limits. A command that is stopped without a result releases it when it completes.
 */
final class SubscriptionReservation extends MessageCompletion {

  /** Exchange property with the reservation of its command. */
  private static final String PROPERTY = "subscriptionReservation";

  private final Subscriptions.Reservation reservation;

  private SubscriptionReservation(Subscriptions.Reservation reservation) {
    this.reservation = reservation;
  }

  /**
   * Reserves what a command needs, if it adds subscriptions.
   *
   * @throws CommandRejectedException with status 413, if they would exceed the limits
   */
  static void reserve(Exchange exchange, Command.Accepted command, Subscriptions subscriptions) {
    PreparedRequest prepared = command.prepared();
    if (!prepared.template().orElse("").equals(RecordSubscription.SUBSCRIBE)) {
      return;
    }
    SubscriptionReservation reserved =
        new SubscriptionReservation(
            subscriptions
                .reserve(
                    RecordSubscription.application(prepared), prepared.parameters().eventSources())
                .orElseThrow(SubscriptionReservation::limitExceeded));
    exchange.setProperty(PROPERTY, reserved);
    exchange.getExchangeExtension().addOnCompletion(reserved);
  }

  /** Releases the reservation of the exchange's command, if it has one. */
  static void release(Exchange exchange) {
    if (exchange.removeProperty(PROPERTY) instanceof SubscriptionReservation reserved) {
      reserved.reservation.release();
    }
  }

  private static CommandRejectedException limitExceeded() {
    return new CommandRejectedException(
        413,
        "Too many subscriptions to restore if Asterisk loses them: the limit is "
            + Subscriptions.MAX_SOURCES
            + ", and "
            + Subscriptions.MAX_BYTES
            + " bytes; end others first, or subscribe to all sources of a kind");
  }

  @Override
  public void onDone(Exchange exchange) {
    reservation.release();
  }
}
