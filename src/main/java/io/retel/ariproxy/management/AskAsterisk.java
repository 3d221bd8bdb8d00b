package io.retel.ariproxy.management;

import io.retel.ariproxy.settings.Setting;
import io.retel.ariproxy.tls.TlsTrouble;
import org.apache.camel.CamelContext;
import org.apache.camel.Exchange;
import org.apache.camel.ProducerTemplate;

/** Asks whether ARI answers: {@code GET /asterisk/ping}, as commands are sent. */
public final class AskAsterisk implements Probe.Question {

  private static final String PING =
      "{{ari.url}}/asterisk/ping?httpMethod=GET&httpClientConfigurer=#ariHttpClient"
          + "&throwExceptionOnFailure=false";

  private final CamelContext context;
  private ProducerTemplate template;

  public AskAsterisk(CamelContext context) {
    this.context = context;
  }

  @Override
  public void ask() throws Exception {
    if (template == null) {
      template = context.createProducerTemplate();
    }
    Exchange answer = template.request(PING, exchange -> {});
    String url = context.resolvePropertyPlaceholders("{{ari.url}}");
    if (answer.getException() != null) {
      throw new IllegalStateException(
          "ARI at "
              + url
              + " does not answer: "
              + TlsTrouble.of(answer.getException(), Setting.ARI_CA_FILE.key())
                  .orElseGet(() -> answer.getException().getMessage()));
    }
    int status = answer.getMessage().getHeader(Exchange.HTTP_RESPONSE_CODE, 0, int.class);
    if (status != 200) {
      throw new IllegalStateException(
          "ARI at " + url + " answers a ping with " + status + "; " + whatToCheck(status));
    }
  }

  private static String whatToCheck(int status) {
    return switch (status) {
      case 401, 403 -> "check ari.username, ari.password and that user in ari.conf";
      case 404 -> "check ari.url, and that ari.conf has enabled = yes";
      default -> "look at Asterisk's log";
    };
  }
}
