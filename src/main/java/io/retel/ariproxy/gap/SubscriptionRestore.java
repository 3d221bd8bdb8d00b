package io.retel.ariproxy.gap;

import io.retel.ariproxy.gap.Subscriptions.Request;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sets the subscriptions and event filters again that Asterisk has forgotten. */
public final class SubscriptionRestore {

  private static final Logger LOG = LoggerFactory.getLogger(SubscriptionRestore.class);

  /** The exchange property with the request that is made. */
  private static final String REQUEST_PROPERTY = "buildSubscriptionRequest";

  private SubscriptionRestore() {}

  /** Makes the message the list of the requests that are to be made. */
  public static Processor listMissing(Subscriptions subscriptions) {
    return exchange ->
        exchange
            .getMessage()
            .setBody(
                subscriptions.restoreRequests(exchange.getProperty("applications", String.class)));
  }

  /** Makes the message, which is one of them, that request. */
  public static Processor buildRequest() {
    return exchange -> {
      Message message = exchange.getMessage();
      Request request = message.getBody(Request.class);
      exchange.setProperty(REQUEST_PROPERTY, request);
      message.removeHeaders("*");
      message.setHeader(Exchange.HTTP_METHOD, request.method());
      message.setHeader(Exchange.HTTP_PATH, request.path());
      message.setHeader(Exchange.CONTENT_TYPE, "application/json");
      message.setBody(request.body());
    };
  }

  /** Says what became of it. */
  public static Processor logResult() {
    return exchange -> {
      Request request = exchange.getProperty(REQUEST_PROPERTY, Request.class);
      int status = exchange.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class);
      if (status / 100 == 2) {
        LOG.info(
            "Asterisk had forgotten it: {} {} {}",
            request.method(),
            request.path(),
            request.body());
      } else {
        LOG.warn(
            "Asterisk has forgotten it, and answers {} to {} {} {}; a command must set it again",
            status,
            request.method(),
            request.path(),
            request.body());
      }
    };
  }
}
