// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.camel.NoSuchBeanException;
import org.apache.camel.spi.BeanRepository;
import org.apache.camel.support.SimpleRegistry;
import org.jspecify.annotations.Nullable;

/**
 * Beans that are being created, for those of the same file that use them. Only the thread that
 * creates them finds them, in place of the bound ones with their names.
 */
final class UnboundBeans implements BeanRepository {

  private final ThreadLocal<Scope> scope = new ThreadLocal<>();

  /** Starts to create beans on this thread, for one file. */
  Scope open(Set<String> names) {
    Scope opened = new Scope(names);
    scope.set(opened);
    return opened;
  }

  @Override
  public @Nullable Object lookupByName(String name) {
    SimpleRegistry beans = beans(name);
    return beans == null ? null : beans.lookupByName(name);
  }

  @Override
  public <T> @Nullable T lookupByNameAndType(String name, Class<T> type) {
    SimpleRegistry beans = beans(name);
    return beans == null ? null : beans.lookupByNameAndType(name, type);
  }

  private @Nullable SimpleRegistry beans(String name) {
    Scope current = scope.get();
    if (current == null) {
      return null;
    }
    if (current.missing.contains(name)) {
      // the registry would return the bound one
      throw new NoSuchBeanException(name);
    }
    return current.beans;
  }

  @Override
  public <T> Map<String, T> findByTypeWithName(Class<T> type) {
    Scope current = scope.get();
    return current == null ? Map.of() : current.beans.findByTypeWithName(type);
  }

  @Override
  public <T> Set<T> findByType(Class<T> type) {
    Scope current = scope.get();
    return current == null ? Set.of() : current.beans.findByType(type);
  }

  /** The beans of one file. */
  final class Scope implements AutoCloseable {

    private final SimpleRegistry beans = new SimpleRegistry();
    private final Set<String> missing;

    private Scope(Set<String> names) {
      this.missing = new HashSet<>(names);
    }

    void add(String name, Object bean) {
      beans.bind(name, bean);
      missing.remove(name);
    }

    @Override
    public void close() {
      scope.remove();
    }
  }
}
