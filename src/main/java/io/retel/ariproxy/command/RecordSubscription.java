// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.envelope.CommandResult;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Records changes to an application's subscriptions and event filter by a successful command. */
public final class RecordSubscription implements Processor {

  /** The operation that adds subscriptions. */
  static final String SUBSCRIBE = "POST /applications/{applicationName}/subscription";

  private final Subscriptions subscriptions;

  public RecordSubscription(Subscriptions subscriptions) {
    this.subscriptions = subscriptions;
  }

  @Override
  public void process(Exchange exchange) {
    Command.Accepted command = CommandProperties.acceptedCommand(exchange);
    CommandResult result = Objects.requireNonNull(CommandProperties.result(exchange));
    if (isExecuted(result)) {
      record(command);
    }
    SubscriptionReservation.release(exchange);
  }

  private void record(Command.Accepted command) {
    PreparedRequest prepared = command.prepared();
    switch (prepared.template().orElse("")) {
      case SUBSCRIBE ->
          subscriptions.addSources(application(prepared), prepared.parameters().eventSources());
      case "DELETE /applications/{applicationName}/subscription" ->
          subscriptions.removeSources(application(prepared), prepared.parameters().eventSources());
      case "PUT /applications/{applicationName}/eventFilter" ->
          subscriptions.updateFilter(application(prepared), prepared.parameters().body());
      default -> {
        // does not change subscriptions
      }
    }
  }

  /** Whether Asterisk executed the command; its response can be too large to publish. */
  private static boolean isExecuted(CommandResult result) {
    return result instanceof CommandResult.Failure failure
        ? failure.outcome() == CommandResult.Outcome.ANSWERED
        : result.status() / 100 == 2;
  }

  /** The application whose subscriptions or event filter a request changes. */
  static String application(PreparedRequest prepared) {
    return prepared.resources().get(0).id();
  }
}
