// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/**
 * Masks personal data in a JSON body, as in logs, regardless of {@code logging.mask}: for routes of
 * users that copy messages. Fails if the body is not JSON, too large or too complex to be masked.
 */
public final class MaskPayload implements Processor {

  private final PayloadMasker masker = new PayloadMasker(true);

  @Override
  public void process(Exchange exchange) {
    String body = exchange.getMessage().getBody(String.class);
    exchange.getMessage().setBody(masker.maskJson(body == null ? "" : body));
  }
}
