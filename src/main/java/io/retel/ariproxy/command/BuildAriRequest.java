package io.retel.ariproxy.command;

import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.http.HttpMethods;

/**
 * Makes the command the HTTP request that it stands for: method, path, query and body, and nothing
 * else.
 *
 * <p>Path and raw query are what camel-http takes without resolving placeholders in them.
 */
public final class BuildAriRequest implements Processor {

  @Override
  public void process(Exchange exchange) {
    AriRequest request = exchange.getProperty(Command.PROPERTY, Command.class).request();
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
  }
}
