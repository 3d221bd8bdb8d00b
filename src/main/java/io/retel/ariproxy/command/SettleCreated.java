package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Registration;
import io.retel.ariproxy.command.RegisterCreated.Registered;
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
public final class SettleCreated implements Processor {

  private static final int CONFLICT = 409;

  private final CallContexts callContexts;

  public SettleCreated(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) {
    Command command = exchange.getProperty(Command.PROPERTY, Command.class);
    AriAnswer answer = exchange.getProperty(AriAnswer.PROPERTY, AriAnswer.class);
    Registered registered =
        exchange.getProperty(Registered.PROPERTY, Registered.NONE, Registered.class);
    if (answer != null && answer.status() == CONFLICT && isItsOwnChannel(command)) {
      command.created().forEach(each -> callContexts.replace(each, command.callContext()));
    } else if (answer == null || answer.refused()) {
      boolean conflict = answer != null && answer.status() == CONFLICT;
      for (Registration registration : registered.registrations()) {
        if (conflict && registration.repeated()) {
          callContexts.settle(registration.resource());
        } else {
          callContexts.undo(registration);
        }
      }
    } else if (answer.status() / 100 == 2) {
      for (Resource created : command.created()) {
        // a POST to a bridge that is there changes that one
        if (!registered.has(created) && created.type() != ResourceType.BRIDGE) {
          callContexts.replace(created, command.callContext());
        }
      }
      command.ended().forEach(callContexts::end);
    }
    if (answer != null && !answer.refused()) {
      command.created().forEach(callContexts::settle);
      command.claimed().forEach(callContexts::settle);
    }
  }

  /** All that it creates has the id that the proxy added, or one after it. */
  private static boolean isItsOwnChannel(Command command) {
    Resource first = command.created().isEmpty() ? null : command.created().get(0);
    return first != null
        && first.type() == ResourceType.CHANNEL
        && command.prepared().idAdded()
        && command.created().stream().allMatch(each -> each.id().startsWith(first.id()));
  }
}
