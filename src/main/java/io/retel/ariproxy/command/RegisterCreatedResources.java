package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Registration;
import io.retel.ariproxy.callcontext.store.StoreUnavailableException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Remembers the call context of what the command creates, before it is sent, so that no event of it
 * can arrive unmapped, and waits until the store has it: a proxy that is killed now is followed by
 * one that knows.
 *
 * <p>A mapping that lives is left as it is: Asterisk refuses a second channel of the same id, and
 * the first one's call must not be taken over. A playback's id alone may be used again at any time.
 */
public final class RegisterCreatedResources implements Processor {

  private final CallContexts callContexts;

  /** What a command has registered, as an exchange property of that name. */
  record Registrations(List<Registration> entries) {

    static final String PROPERTY = "registered";

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
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    List<Registration> registrations =
        Stream.concat(command.created().stream(), command.claimed().stream())
            .map(resource -> register(resource, command.callContext()))
            .flatMap(Optional::stream)
            .toList();
    exchange.setProperty(Registrations.PROPERTY, new Registrations(registrations));
    if (!registrations.isEmpty()) {
      callContexts.awaitPersisted();
    }
  }

  private Optional<Registration> register(Resource resource, String callContext) {
    return callContexts.register(resource, callContext, resource.type() == ResourceType.PLAYBACK);
  }
}
