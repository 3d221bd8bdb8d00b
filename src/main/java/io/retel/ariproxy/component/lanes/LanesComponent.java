package io.retel.ariproxy.component.lanes;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.spi.annotations.Component;
import org.apache.camel.support.DefaultComponent;

/** Keeps the lanes by name; they outlive the routes on both of their sides. */
@Component("lanes")
public class LanesComponent extends DefaultComponent {

  private final Map<String, Lanes<Exchange>> lanes = new ConcurrentHashMap<>();

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters)
      throws Exception {
    LanesEndpoint endpoint = new LanesEndpoint(uri, this);
    endpoint.setName(remaining);
    setProperties(endpoint, parameters);
    return endpoint;
  }

  Lanes<Exchange> lanes(String name) {
    return lanes.computeIfAbsent(name, n -> new Lanes<>());
  }

  /** How many exchanges wait in all lanes, without those that are leased. */
  public int queued() {
    return lanes.values().stream().mapToInt(Lanes::queued).sum();
  }

  /** How many exchanges of all lanes are leased: a route works on them. */
  public int leased() {
    return lanes.values().stream().mapToInt(Lanes::leased).sum();
  }
}
