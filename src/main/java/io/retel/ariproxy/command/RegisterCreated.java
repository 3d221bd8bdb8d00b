package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Registration;
import java.util.ArrayList;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Remembers the call context of what the command creates, before it is sent, so that no event of it
 * can arrive unmapped.
 *
 * <p>A mapping that lives is left as it is: Asterisk refuses a second channel of the same id, and
 * the first one's call must not be taken over. A playback's id alone may be used again at any time.
 */
public final class RegisterCreated implements Processor {

  private final CallContexts callContexts;

  public RegisterCreated(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    List<Registration> registrations = new ArrayList<>(command.created().size());
    for (Resource created : command.created()) {
      boolean evenIfAlive = created.type() == ResourceType.PLAYBACK;
      callContexts
          .register(created, command.callContext(), evenIfAlive)
          .ifPresent(registrations::add);
    }
    exchange.setProperty(SettleCreated.REGISTRATIONS, registrations);
  }
}
