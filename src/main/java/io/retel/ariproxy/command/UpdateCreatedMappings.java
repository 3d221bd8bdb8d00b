// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Registration;
import io.retel.ariproxy.command.RegisterCreatedResources.Registrations;
import io.retel.ariproxy.envelope.CommandResult;
import java.util.function.BooleanSupplier;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Updates the mappings of created and ended resources according to the result.
 *
 * <p>Not sent, or rejected by Asterisk: registrations are rolled back. Created although the id had
 * an active mapping: the resource belongs to this command's call, since the end of the previous one
 * was missed. A 409 for a generated id, or for an id this command had registered before a crash:
 * the command was executed before the crash, so the resource belongs to its call. Outcome unknown:
 * the mapping stays, unconfirmed. Resources ended by a successful command stay mapped for late
 * events only.
 */
public final class UpdateCreatedMappings implements Processor {

  private static final int CONFLICT = 409;

  private final CallContexts callContexts;
  private final BooleanSupplier areChannelEndsHidden;

  /**
   * @param areChannelEndsHidden whether event filters hide the end of a channel
   */
  public UpdateCreatedMappings(CallContexts callContexts, BooleanSupplier areChannelEndsHidden) {
    this.callContexts = callContexts;
    this.areChannelEndsHidden = areChannelEndsHidden;
  }

  @Override
  public void process(Exchange exchange) {
    if (!(CommandProperties.command(exchange) instanceof Command.Accepted command)) {
      // creates and ends nothing
      return;
    }
    CommandResult result = CommandProperties.result(exchange);
    Registrations registrations = CommandProperties.registrations(exchange);
    if (result == null || result.hadNoEffect()) {
      command
          .created()
          .forEach(each -> callContexts.withdrawSuccessor(each, command.callContextOfCreated()));
    }
    if (result != null && result.status() == CONFLICT && isChannelWithGeneratedId(command)) {
      command.created().forEach(each -> callContexts.replace(each, command.callContextOfCreated()));
    } else if (result == null || result.hadNoEffect()) {
      boolean conflict = result != null && result.status() == CONFLICT;
      boolean rejected = result != null && result.isSent() && result.status() < 500;
      for (Registration registration : registrations.entries()) {
        if (conflict && registration.isRepeated()) {
          callContexts.confirm(registration.resource());
        } else if (!rejected && registration.isRepeated()) {
          // before the crash, Asterisk can have executed it
          callContexts.recordUnknownOutcome(registration.resource());
        } else {
          callContexts.rollback(registration);
        }
      }
    } else if (result.status() / 100 == 2) {
      for (Resource each : command.created()) {
        Resource created = withInstance(each, result);
        if (!registrations.contains(created)) {
          if (created.type() == ResourceType.BRIDGE) {
            // a POST to an existing bridge modifies it
            callContexts.replaceIfOther(created, command.callContextOfCreated());
          } else {
            callContexts.replace(created, command.callContextOfCreated());
          }
        }
      }
      command.ended().forEach(this::end);
    }
    if (result != null && !result.hadNoEffect()) {
      if (result.hasUnknownOutcome()) {
        command.created().forEach(callContexts::recordUnknownOutcome);
      } else {
        command.created().forEach(each -> callContexts.confirm(withInstance(each, result)));
      }
      command.claimed().forEach(callContexts::confirm);
    }
  }

  /** A channel ends with its events, unless a filter hides them. */
  private void end(Resource resource) {
    if (resource.type() != ResourceType.CHANNEL) {
      callContexts.end(resource);
      return;
    }
    callContexts.hangUp(resource);
    if (areChannelEndsHidden.getAsBoolean()) {
      callContexts.end(resource);
      callContexts.end(new Resource(ResourceType.CHANNEL, resource.id() + ";2"));
    }
  }

  /** Whether all created channels have the generated id, or one derived from it. */
  private static boolean isChannelWithGeneratedId(Command.Accepted command) {
    Resource first = command.created().isEmpty() ? null : command.created().get(0);
    return first != null
        && first.type() == ResourceType.CHANNEL
        && command.prepared().hasGeneratedId()
        && command.created().stream().allMatch(each -> each.id().startsWith(first.id()));
  }

  /** Returns the resource with the instance that Asterisk's response to its creation shows. */
  private static Resource withInstance(Resource created, CommandResult result) {
    return !created.type().isMedia() && result instanceof CommandResult.Json response
        ? new Resource(created.type(), created.id(), response.instanceOf(created))
        : created;
  }
}
