package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Registration;
import io.retel.ariproxy.command.RegisterCreatedResources.Registrations;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Makes the memory of call contexts agree with what came of the command.
 *
 * <p>What Asterisk refused to create, or was never asked for, is not there. What it did create
 * although a resource of that id was thought to live belongs to this command's call: the other one
 * has gone untold. An id that the proxy has added is this command's alone: if Asterisk has it
 * already, then because the command was carried out before a crash; so it is with an id that this
 * command had registered before a crash. Of what nobody knows the outcome, the call context stays.
 * What a success ends is remembered for late events only.
 */
public final class UpdateCreatedMappings implements Processor {

  private static final int CONFLICT = 409;

  private final CallContexts callContexts;

  public UpdateCreatedMappings(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    CommandResult result = exchange.getProperty(CommandResult.PROPERTY, CommandResult.class);
    Registrations registrations =
        exchange.getProperty(Registrations.PROPERTY, Registrations.NONE, Registrations.class);
    if (result != null && result.status() == CONFLICT && isChannelWithGeneratedId(command)) {
      command.created().forEach(each -> callContexts.replace(each, command.callContext()));
    } else if (result == null || result.hadNoEffect()) {
      boolean conflict = result != null && result.status() == CONFLICT;
      for (Registration registration : registrations.entries()) {
        if (conflict && registration.isRepeated()) {
          callContexts.confirm(registration.resource());
        } else {
          callContexts.rollback(registration);
        }
      }
    } else if (result.status() / 100 == 2) {
      for (Resource created : command.created()) {
        // a POST to a bridge that is there changes that one
        if (!registrations.contains(created) && created.type() != ResourceType.BRIDGE) {
          callContexts.replace(created, command.callContext());
        }
      }
      command.ended().forEach(callContexts::end);
    }
    if (result != null && !result.hadNoEffect()) {
      command.created().forEach(callContexts::confirm);
      command.claimed().forEach(callContexts::confirm);
    }
  }

  /** All that it creates has the id that the proxy added, or one after it. */
  private static boolean isChannelWithGeneratedId(Command command) {
    Resource first = command.created().isEmpty() ? null : command.created().get(0);
    return first != null
        && first.type() == ResourceType.CHANNEL
        && command.prepared().hasGeneratedId()
        && command.created().stream().allMatch(each -> each.id().startsWith(first.id()));
  }
}
