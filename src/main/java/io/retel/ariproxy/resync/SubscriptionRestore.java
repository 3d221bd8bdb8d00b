// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import io.retel.ariproxy.callcontext.Subscriptions;
import io.retel.ariproxy.callcontext.Subscriptions.Request;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Processors that restore subscriptions and event filters lost by Asterisk. */
public final class SubscriptionRestore {

  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionRestore.class);

  private SubscriptionRestore() {}

  /** Sets the body to the list of requests to send. */
  public static Processor listMissing(Subscriptions subscriptions) {
    return exchange ->
        exchange
            .getMessage()
            .setBody(
                subscriptions.restoreRequests(
                    exchange.getProperty(ResyncProperties.APPLICATIONS, String.class)));
  }

  /** Turns a restore request in the body into an HTTP request. */
  public static Processor buildRequest() {
    return exchange -> {
      Message message = exchange.getMessage();
      Request request = message.getBody(Request.class);
      exchange.setProperty(ResyncProperties.SUBSCRIPTION_REQUEST, request);
      message.removeHeaders("*");
      message.setHeader(Exchange.HTTP_METHOD, request.method());
      message.setHeader(Exchange.HTTP_PATH, request.path());
      message.setHeader(Exchange.CONTENT_TYPE, "application/json");
      message.setBody(request.body());
    };
  }

  /** Logs the result of the request. */
  public static Processor logResult() {
    return exchange -> {
      Request request = exchange.getProperty(ResyncProperties.SUBSCRIPTION_REQUEST, Request.class);
      int status = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class);
      if (status / 100 == 2) {
        LOG.info(
            "Restored at Asterisk: {} {} {}", request.method(), request.path(), request.body());
      } else {
        LOG.warn(
            "Restore failed with status {}: {} {} {}; a command must set it again",
            status,
            request.method(),
            request.path(),
            request.body());
      }
    };
  }
}
