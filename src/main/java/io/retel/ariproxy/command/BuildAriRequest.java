// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.http.HttpMethods;

/**
 * Builds the HTTP request of a command: method, path, query and body, and nothing else.
 *
 * <p>camel-http resolves no placeholders in the path and raw query headers.
 */
public final class BuildAriRequest implements Processor {

  @Override
  public void process(Exchange exchange) {
    AriRequest request = CommandProperties.acceptedCommand(exchange).request();
    Message message = exchange.getMessage();
    message.removeHeaders("*");
    message.setHeader(Exchange.HTTP_METHOD, HttpMethods.valueOf(request.method()));
    message.setHeader(Exchange.HTTP_PATH, request.path());
    if (request.query() != null) {
      message.setHeader(Exchange.HTTP_RAW_QUERY, request.query());
    }
    if (request.body() != null) {
      message.setHeader(Exchange.CONTENT_TYPE, "application/json");
    }
    message.setBody(request.body());
    exchange.setProperty(CommandProperties.IS_REQUEST_BUILT, true);
  }
}
