// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.error.TlsErrors;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;
import org.jspecify.annotations.Nullable;

/** Check that ARI responds: {@code GET /asterisk/ping}, sent like a command. */
public final class AsteriskProbe implements Probe.Check {

  private static final String PING_ENDPOINT =
      "{{ari.url}}/asterisk/ping?httpMethod=GET&httpClientConfigurer=#ariHttpClient"
          + "&throwExceptionOnFailure=false";

  private final CamelContext context;
  private @Nullable ProducerTemplate template;

  public AsteriskProbe(CamelContext context) {
    this.context = context;
  }

  @Override
  public void run() throws Exception {
    if (template == null) {
      template = context.createProducerTemplate();
    }
    Exchange response = template.request(PING_ENDPOINT, exchange -> {});
    String url = context.resolvePropertyPlaceholders("{{ari.url}}");
    if (response.getException() != null) {
      throw new IllegalStateException(
          "ARI at "
              + url
              + " failed a ping: "
              + TlsErrors.describe(response.getException(), Setting.ARI_CA_FILE.key())
                  .orElseGet(() -> ErrorMessages.ownMessage(response.getException())));
    }
    int status = response.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class);
    if (status != 200) {
      throw new IllegalStateException(
          "ARI at " + url + " responded to a ping with " + status + "; " + remedy(status));
    }
  }

  private static String remedy(int status) {
    return switch (status) {
      case 403 -> "check the permissions of the user in ari.conf";
      case 404 -> "check ari.url, and that ari.conf has enabled = yes";
      default -> "check Asterisk's log";
    };
  }
}
