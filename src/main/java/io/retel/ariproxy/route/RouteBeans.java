// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.error.StartupErrors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.camel.CamelContext;
import org.apache.camel.CamelContextAware;
import org.apache.camel.RuntimeCamelException;
import org.apache.camel.model.BeanFactoryDefinition;
import org.apache.camel.model.BeanModelHelper;
import org.apache.camel.model.Model;
import org.apache.camel.spi.Registry;
import org.apache.camel.support.DefaultRegistry;
import org.apache.camel.support.ObjectHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The beans of route files. New ones are created before they replace the current ones, which end
 * only once an edit is in effect: one whose server is down changes nothing.
 *
 * <p>Camel creates, binds and ends beans in one step. Used by one thread at a time.
 */
final class RouteBeans {

  private static final Logger LOG = LoggerFactory.getLogger(RouteBeans.class);

  private final CamelContext context;
  private final Registry registry;
  private final Model model;
  private final Duration maxEnd;
  private final UnboundBeans unbound = new UnboundBeans();

  /** The bound beans by name. */
  private final Map<String, Bean> current = new ConcurrentHashMap<>();

  /**
   * Call it before the context starts.
   *
   * @param maxEnd the limit in time for a bean to end
   */
  RouteBeans(CamelContext context, Duration maxEnd) {
    this.context = context;
    this.registry = context.getRegistry();
    this.model = ActiveRoutes.model(context);
    this.maxEnd = maxEnd;
    context.getRegistry(DefaultRegistry.class).addBeanRepository(unbound);
  }

  /** Adds beans that the context has created and bound. */
  void adopt(Collection<BeanFactoryDefinition<?>> definitions) {
    for (BeanFactoryDefinition<?> definition : definitions) {
      Object instance = registry.lookupByName(definition.getName());
      if (instance != null) {
        current.putIfAbsent(definition.getName(), new Bean(definition, instance));
      }
    }
  }

  /**
   * Creates beans, and leaves those that are bound as they are.
   *
   * @return the beans by name
   * @throws RuntimeCamelException if one cannot be created in time; the others have ended
   */
  Map<String, Bean> create(Collection<BeanFactoryDefinition<?>> definitions, Duration limit) {
    Map<String, Bean> created = new LinkedHashMap<>();
    List<BeanFactoryDefinition<?>> pending = new ArrayList<>(definitions);
    try (InterruptAfter interrupt = new InterruptAfter(limit);
        UnboundBeans.Scope scope = unbound.open(names(definitions))) {
      while (!pending.isEmpty()) {
        createPossible(pending, created, scope);
      }
      return created;
    } catch (Throwable e) {
      end(created);
      throw e;
    }
  }

  private static Set<String> names(Collection<BeanFactoryDefinition<?>> definitions) {
    return definitions.stream().map(BeanFactoryDefinition::getName).collect(Collectors.toSet());
  }

  /** A bean can use one that the file defines after it. */
  private void createPossible(
      List<BeanFactoryDefinition<?>> pending, Map<String, Bean> created, UnboundBeans.Scope scope) {
    int previous = pending.size();
    List<RuntimeCamelException> errors = new ArrayList<>();
    for (BeanFactoryDefinition<?> definition : List.copyOf(pending)) {
      try {
        Object instance = create(definition);
        scope.add(definition.getName(), instance);
        Bean repeated = created.put(definition.getName(), new Bean(definition, instance));
        if (repeated != null) {
          end(repeated);
        }
        pending.remove(definition);
      } catch (RuntimeCamelException e) {
        errors.add(e);
      }
    }
    if (pending.size() == previous) {
      throw errors.get(0);
    }
  }

  private Object create(BeanFactoryDefinition<?> definition) {
    try {
      Object instance = BeanModelHelper.newInstance(definition, context);
      CamelContextAware.trySetCamelContext(instance, context);
      String initMethod = definition.getInitMethod();
      if (initMethod != null) {
        ObjectHelper.invokeMethodSafe(initMethod, instance);
      }
      return instance;
    } catch (Exception e) {
      throw new RuntimeCamelException(
          "Error creating bean: %s of type: %s"
              .formatted(definition.getName(), definition.getType()),
          e);
    }
  }

  /**
   * Unbinds beans, which do not end, and binds others.
   *
   * @param names the names to unbind, those of the others among them
   * @return the beans that were bound, by name
   */
  Map<String, Bean> replace(Set<String> names, Map<String, Bean> created) {
    Map<String, Bean> previous = new LinkedHashMap<>();
    for (String name : names) {
      Bean bean = current.remove(name);
      if (bean != null) {
        previous.put(name, bean);
        // the registry ends what it unbinds, by the method that was given last
        registry.bind(name, new Object(), null, "hashCode");
        registry.unbind(name);
      }
    }
    created.forEach(
        (name, bean) -> {
          registry.bind(name, bean.instance(), null, bean.definition().getDestroyMethod());
          model.addCustomBean(bean.definition());
          current.put(name, bean);
        });
    return previous;
  }

  /** Ends beans that are not bound. */
  void end(Map<String, Bean> beans) {
    beans.values().forEach(this::end);
  }

  private void end(Bean bean) {
    String destroyMethod = bean.definition().getDestroyMethod();
    if (destroyMethod != null) {
      try (InterruptAfter limit = new InterruptAfter(maxEnd)) {
        ObjectHelper.invokeMethodSafe(destroyMethod, bean.instance());
      } catch (Throwable e) {
        FatalErrors.exitIfOutOfMemory(e);
        LOG.warn(
            "Bean {} failed to end: {}", bean.definition().getName(), StartupErrors.singleLine(e));
      }
    }
  }

  /** An instance as a file defines it. */
  record Bean(BeanFactoryDefinition<?> definition, Object instance) {}
}
