// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import io.retel.ariproxy.text.LogText;
import java.util.Arrays;
import java.util.Set;
import javax.management.Attribute;
import javax.management.AttributeList;
import javax.management.AttributeNotFoundException;
import javax.management.DynamicMBean;
import javax.management.InvalidAttributeValueException;
import javax.management.MBeanException;
import javax.management.MBeanInfo;
import javax.management.ReflectionException;
import javax.management.RuntimeMBeanException;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.TabularData;
import javax.management.openmbean.TabularDataSupport;
import org.jspecify.annotations.Nullable;

/**
 * An MBean whose attributes, results and exceptions have escaped texts. The length of attributes
 * and results is not bounded: they are ids, which an operator passes to another operation.
 */
final class EscapingMBean implements DynamicMBean {

  private static final Set<String> PRIMITIVES = Set.of("boolean", "int", "long", "double");

  private final DynamicMBean bean;

  EscapingMBean(DynamicMBean bean) {
    this.bean = bean;
  }

  @Override
  public @Nullable Object getAttribute(String attribute)
      throws AttributeNotFoundException, MBeanException, ReflectionException {
    return escape(bean.getAttribute(attribute));
  }

  @Override
  public AttributeList getAttributes(String[] attributes) {
    AttributeList escaped = new AttributeList();
    bean.getAttributes(attributes)
        .asList()
        .forEach(
            attribute ->
                escaped.add(new Attribute(attribute.getName(), escape(attribute.getValue()))));
    return escaped;
  }

  @Override
  public @Nullable Object invoke(
      String actionName, Object @Nullable [] params, String @Nullable [] signature)
      throws MBeanException, ReflectionException {
    requirePrimitives(params, signature);
    try {
      return escape(bean.invoke(actionName, params, signature));
    } catch (MBeanException e) {
      throw new MBeanException(escape(actionName, e.getTargetException()));
    } catch (RuntimeMBeanException e) {
      throw new RuntimeMBeanException(escape(actionName, e.getTargetException()));
    }
  }

  /** A null would fail without a message. */
  private static void requirePrimitives(Object @Nullable [] params, String @Nullable [] signature) {
    if (params == null || signature == null) {
      return;
    }
    for (int i = 0; i < Math.min(params.length, signature.length); i++) {
      if (params[i] == null && PRIMITIVES.contains(signature[i])) {
        throw new IllegalArgumentException(
            "Argument %d is missing: it must be of type %s".formatted(i + 1, signature[i]));
      }
    }
  }

  /** An exception of the same type, if operations reject their arguments with it. */
  private static RuntimeException escape(String actionName, Exception e) {
    String message =
        e.getMessage() == null
            ? "%s failed: %s".formatted(actionName, e.getClass().getName())
            : LogText.escape(e.getMessage(), LogText.MAX_DETAIL_LENGTH);
    return e instanceof IllegalArgumentException
        ? new IllegalArgumentException(message)
        : new IllegalStateException(message);
  }

  @Override
  public void setAttribute(Attribute attribute)
      throws AttributeNotFoundException,
          InvalidAttributeValueException,
          MBeanException,
          ReflectionException {
    bean.setAttribute(attribute);
  }

  @Override
  public AttributeList setAttributes(AttributeList attributes) {
    return bean.setAttributes(attributes);
  }

  @Override
  public MBeanInfo getMBeanInfo() {
    return bean.getMBeanInfo();
  }

  private static @Nullable Object escape(@Nullable Object value) {
    if (value instanceof String text) {
      return LogText.escape(text, Integer.MAX_VALUE);
    }
    if (value instanceof String[] texts) {
      return Arrays.stream(texts).map(EscapingMBean::escape).toArray(String[]::new);
    }
    if (value instanceof CompositeData row) {
      return escape(row);
    }
    if (value instanceof TabularData table) {
      TabularData escaped = new TabularDataSupport(table.getTabularType());
      for (Object row : table.values()) {
        CompositeData escapedRow = escape((CompositeData) row);
        // ids can differ in characters that have the same escape
        if (!escaped.containsKey(escaped.calculateIndex(escapedRow))) {
          escaped.put(escapedRow);
        }
      }
      return escaped;
    }
    return value;
  }

  private static CompositeData escape(CompositeData row) {
    String[] columns = row.getCompositeType().keySet().toArray(String[]::new);
    Object[] values = Arrays.stream(row.getAll(columns)).map(EscapingMBean::escape).toArray();
    try {
      return new CompositeDataSupport(row.getCompositeType(), columns, values);
    } catch (OpenDataException e) {
      throw new IllegalStateException(e);
    }
  }
}
