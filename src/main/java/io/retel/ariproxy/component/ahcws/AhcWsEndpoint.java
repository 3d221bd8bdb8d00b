// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import java.net.URI;
import org.apache.camel.Category;
import org.apache.camel.Consumer;
import org.apache.camel.PollingConsumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.spi.EndpointServiceLocation;
import org.apache.camel.spi.Metadata;
import org.apache.camel.spi.UriEndpoint;
import org.apache.camel.spi.UriParam;
import org.apache.camel.spi.UriPath;
import org.apache.camel.support.DefaultEndpoint;

/**
 * Consume messages from an external websocket server in order; the connection outlives the route.
 *
 * <p>It connects when the route starts and reconnects until the context stops, even if the server
 * is not running yet. Unknown options are sent to the server as the query of the upgrade. A text
 * message arrives as a String, a binary one as a byte[].
 */
@UriEndpoint(
    firstVersion = "0.1.0",
    scheme = "ahc-ws,ahc-wss",
    title = "Async HTTP Client (AHC) WebSocket,Async HTTP Client (AHC) WebSocket over TLS",
    syntax = "ahc-ws:httpUri",
    consumerOnly = true,
    lenientProperties = true,
    category = Category.HTTP)
public class AhcWsEndpoint extends DefaultEndpoint implements EndpointServiceLocation {

  @UriPath
  @Metadata(required = true, description = "Address of the websocket: host[:port][/path].")
  private URI httpUri;

  @UriParam private final AhcWsConfiguration configuration;

  public AhcWsEndpoint(String uri, AhcWsComponent component, AhcWsConfiguration configuration) {
    super(uri, component);
    this.configuration = configuration;
  }

  @Override
  public AhcWsComponent getComponent() {
    return (AhcWsComponent) super.getComponent();
  }

  @Override
  public Producer createProducer() {
    throw new UnsupportedOperationException("ahc-ws only consumes: ARI accepts commands over HTTP");
  }

  /** A connection that was opened and closed for each message would lose messages in between. */
  @Override
  public PollingConsumer createPollingConsumer() {
    throw new UnsupportedOperationException(
        "ahc-ws is consumed by a route only: neither poll nor pollEnrich can read it");
  }

  @Override
  public Consumer createConsumer(Processor processor) throws Exception {
    AhcWsConsumer consumer = new AhcWsConsumer(this, processor);
    configureConsumer(consumer);
    getComponent().addHealthCheck(this);
    return consumer;
  }

  @Override
  public boolean isLenientProperties() {
    return true;
  }

  /** Without user and query, which can contain a login such as {@code api_key}. */
  @Override
  public String getServiceUrl() {
    return WebSocketConnection.address(httpUri);
  }

  @Override
  public String getServiceProtocol() {
    return httpUri.getScheme();
  }

  public URI getHttpUri() {
    return httpUri;
  }

  public void setHttpUri(URI httpUri) {
    this.httpUri = httpUri;
  }

  public AhcWsConfiguration getConfiguration() {
    return configuration;
  }
}
