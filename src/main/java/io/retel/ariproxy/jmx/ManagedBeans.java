// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.camel.CamelContext;
import org.apache.camel.spi.ManagementAgent;
import org.apache.camel.support.management.DefaultManagementMBeanAssembler;
import org.apache.camel.support.service.ServiceHelper;
import org.apache.camel.support.service.ServiceSupport;

/**
 * Registers beans with Camel's agent as {@code io.retel.ariproxy:context=NAME,type=TYPE} while the
 * context runs. Registers nothing if JMX is disabled.
 */
public final class ManagedBeans extends ServiceSupport {

  /** The domain of the proxy's beans. */
  public static final String DOMAIN = "io.retel.ariproxy";

  private final CamelContext context;
  private final Map<String, Object> beans;
  private final List<ObjectName> registeredNames = new ArrayList<>();

  /**
   * @param beans the beans by type, with Camel's JMX annotations
   */
  public ManagedBeans(CamelContext context, Map<String, Object> beans) {
    this.context = context;
    this.beans = Map.copyOf(beans);
  }

  @Override
  protected void doStart() throws JMException {
    ManagementAgent agent = context.getManagementStrategy().getManagementAgent();
    if (agent == null) {
      return;
    }
    DefaultManagementMBeanAssembler assembler = new DefaultManagementMBeanAssembler(context);
    ServiceHelper.startService(assembler);
    for (Map.Entry<String, Object> bean : beans.entrySet()) {
      ObjectName name =
          new ObjectName(
              DOMAIN + ":context=" + context.getManagementName() + ",type=" + bean.getKey());
      agent.register(
          new EscapingMBean(assembler.assemble(agent.getMBeanServer(), bean.getValue(), name)),
          name);
      registeredNames.add(name);
    }
  }

  @Override
  protected void doStop() throws JMException {
    for (ObjectName name : registeredNames) {
      context.getManagementStrategy().getManagementAgent().unregister(name);
    }
    registeredNames.clear();
  }
}
