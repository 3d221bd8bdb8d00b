package io.retel.ariproxy.command;

import io.retel.ariproxy.callcontext.CallContexts;
import io.retel.ariproxy.callcontext.Registration;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Makes the memory of call contexts agree with what came of the command: what Asterisk refused to
 * create, or was never asked for, is not there. Of what nobody knows the outcome, the call context
 * stays. What a success ends is remembered for late events only.
 */
public final class SettleCreated implements Processor {

  static final String REGISTRATIONS = "registrations";

  private final CallContexts callContexts;

  public SettleCreated(CallContexts callContexts) {
    this.callContexts = callContexts;
  }

  @Override
  public void process(Exchange exchange) {
    AriAnswer answer = exchange.getProperty(AriAnswer.PROPERTY, AriAnswer.class);
    if (answer == null || answer.refused()) {
      List<?> registrations = exchange.getProperty(REGISTRATIONS, List.of(), List.class);
      registrations.forEach(registration -> callContexts.undo((Registration) registration));
    } else if (answer.sent() && answer.status() / 100 == 2) {
      exchange.getProperty(Command.PROPERTY, Command.class).ended().forEach(callContexts::end);
    }
  }
}
