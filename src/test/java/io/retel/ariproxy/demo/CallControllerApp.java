// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.demo;

import java.util.Properties;
import org.apache.camel.main.Main;
import org.apache.camel.main.SimpleMainShutdownStrategy;

/** The call-controller as a separate Camel application, connected to Kafka only. */
final class CallControllerApp implements AutoCloseable {

  private final Main main = new Main();

  private CallControllerApp(String brokers, String eventsTopic) {
    Properties properties = new Properties();
    properties.setProperty("camel.main.name", "call-controller");
    properties.setProperty("camel.main.shutdownTimeout", "5");
    properties.setProperty("brokers", brokers);
    properties.setProperty("events-topic", eventsTopic);
    main.setOverrideProperties(properties);
    // no shutdown hook: close() stops the components in order
    main.setShutdownStrategy(new SimpleMainShutdownStrategy());
    main.configure().addRoutesBuilder(new CallController());
  }

  static CallControllerApp start(String brokers, String eventsTopic) {
    CallControllerApp controller = new CallControllerApp(brokers, eventsTopic);
    try {
      controller.main.start();
    } catch (Exception e) {
      throw new IllegalStateException("Call-controller failed to start", e);
    }
    return controller;
  }

  @Override
  public void close() {
    main.stop();
  }
}
