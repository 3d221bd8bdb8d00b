// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;
import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.envelope.CommandResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** Records changes to an application's subscriptions and event filter by a successful command. */
public final class RecordSubscription implements Processor {

  private final Subscriptions subscriptions;

  public RecordSubscription(Subscriptions subscriptions) {
    this.subscriptions = subscriptions;
  }

  @Override
  public void process(Exchange exchange) {
    Command.Accepted command = CommandProperties.acceptedCommand(exchange);
    CommandResult result = Objects.requireNonNull(CommandProperties.result(exchange));
    if (result.status() / 100 != 2) {
      return;
    }
    PreparedRequest prepared = command.prepared();
    switch (prepared.template().orElse("")) {
      case "POST /applications/{applicationName}/subscription" ->
          subscriptions.addSources(application(prepared), sources(prepared.parameters()));
      case "DELETE /applications/{applicationName}/subscription" ->
          subscriptions.removeSources(application(prepared), sources(prepared.parameters()));
      case "PUT /applications/{applicationName}/eventFilter" ->
          subscriptions.updateFilter(application(prepared), prepared.parameters().body());
      default -> {
        // does not change subscriptions
      }
    }
  }

  private static String application(PreparedRequest prepared) {
    return prepared.resources().get(0).id();
  }

  /** The event sources: an array in the body, or a comma-separated string. */
  private static List<String> sources(AriParameters parameters) {
    List<String> sources = new ArrayList<>();
    JsonNode list = parameters.body().path("eventSource");
    if (list.isArray()) {
      list.forEach(source -> sources.add(source.asText()));
    } else {
      parameters.text("eventSource").ifPresent(text -> sources.addAll(List.of(text.split(","))));
    }
    return sources;
  }
}
