// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.MappingLimitException;
import io.retel.ariproxy.callcontext.Registration;
import io.retel.ariproxy.callcontext.store.StoreUnavailableException;
import io.retel.ariproxy.error.ErrorMessages;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Registers the mappings of the resources that a command creates or claims, before it is sent.
 *
 * <p>Blocks until the store has acknowledged them, so that no event of a new resource arrives
 * unmapped, even if the proxy is killed and restarted.
 *
 * <p>An active mapping is not replaced: Asterisk rejects a second channel with the same id, and the
 * first one's call must not lose its channel. Only a playback id can be reused at any time. The
 * first one can have ended without its event having arrived: the new resource is announced.
 */
public final class RegisterCreatedResources implements Processor {

  private final CallContexts callContexts;

  /** The registrations of a command. */
  record Registrations(List<Registration> entries) {

    static final Registrations NONE = new Registrations(List.of());

    boolean contains(Resource resource) {
      return entries.stream().anyMatch(each -> each.resource().equals(resource));
    }
  }

  public RegisterCreatedResources(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) throws InterruptedException, StoreUnavailableException {
    Command.Accepted command = CommandProperties.acceptedCommand(exchange);
    List<Registration> registrations = new ArrayList<>(2);
    Registrations registered = new Registrations(registrations);
    // before the first one: a second one can fail, and the first one is then rolled back
    exchange.setProperty(CommandProperties.REGISTRATIONS, registered);
    try {
      register(command, registrations);
    } catch (MappingLimitException e) {
      throw new StoreUnavailableException(ErrorMessages.ownMessage(e));
    }
    for (Resource created : command.created()) {
      if (!registered.contains(created)) {
        callContexts.announceSuccessor(created, command.callContextOfCreated());
      }
    }
    if (!registrations.isEmpty()) {
      callContexts.awaitPersisted();
    }
  }

  private void register(Command.Accepted command, List<Registration> registrations) {
    for (Resource created : command.created()) {
      register(created, command.callContextOfCreated()).ifPresent(registrations::add);
    }
    for (Resource channel : command.claimed()) {
      callContexts
          .registerClaim(channel, command.callContextOfCreated())
          .ifPresent(registrations::add);
    }
  }

  private Optional<Registration> register(Resource resource, String callContext) {
    return callContexts.register(resource, callContext, resource.type() == ResourceType.PLAYBACK);
  }
}
