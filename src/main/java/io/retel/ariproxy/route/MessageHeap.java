// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.POJONode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.retel.ariproxy.config.HeapSize;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.StreamCache;
import org.jspecify.annotations.Nullable;

/**
 * Estimates the heap that a message takes: of its body, headers, variables and exchange properties,
 * as far as they are texts, bytes, JSON that was parsed, or records, such as events and commands.
 * What appears several times is counted once.
 */
final class MessageHeap {

  /** For the exchange and its maps. */
  private static final long MESSAGE_BYTES = 2_048;

  /** For any object, also one of unknown size. */
  private static final long OBJECT_BYTES = 48;

  /** More than Jackson parses. */
  private static final int MAX_DEPTH = 1_100;

  private static final ClassValue<Method[]> ACCESSORS =
      new ClassValue<>() {
        @Override
        protected Method[] computeValue(Class<?> type) {
          Method[] accessors =
              Arrays.stream(type.getRecordComponents())
                  .filter(component -> !component.getType().isPrimitive())
                  .map(RecordComponent::getAccessor)
                  .toArray(Method[]::new);
          try {
            // that of a class that is not public, such as of an author
            Arrays.stream(accessors).forEach(accessor -> accessor.setAccessible(true));
            return accessors;
          } catch (InaccessibleObjectException e) {
            return new Method[0];
          }
        }
      };

  private final long limit;
  private final Set<Object> counted = Collections.newSetFromMap(new IdentityHashMap<>());
  private long sum = MESSAGE_BYTES;

  private MessageHeap(long limit) {
    this.limit = limit;
  }

  /**
   * Returns the heap of a message in bytes.
   *
   * @param limit the size at which to stop counting
   */
  static long of(Exchange message, long limit) {
    MessageHeap heap = new MessageHeap(limit);
    try {
      heap.add(message.getMessage().getBody(), 0);
      if (message.getMessage().hasHeaders()) {
        heap.add(message.getMessage().getHeaders(), 0);
      }
      heap.add(message.getProperties(), 0);
      heap.add(message.getVariables(), 0);
    } catch (RuntimeException | StackOverflowError e) {
      // such as while another thread changes a body that both have: the estimate is what is counted
      return heap.sum;
    }
    return heap.sum;
  }

  private void add(@Nullable Object value, int depth) {
    if (value == null || sum > limit || depth > MAX_DEPTH) {
      return;
    }
    sum += OBJECT_BYTES;
    if (value instanceof JsonNode json) {
      add(json, depth);
    } else if (value instanceof Enum || value instanceof Number || !counted.add(value)) {
      return;
    } else if (value instanceof byte[] bytes) {
      sum += HeapSize.ofArray(bytes.length);
    } else if (value instanceof CharSequence text) {
      sum += HeapSize.ofArray(2L * text.length());
    } else if (value instanceof StreamCache stream) {
      sum += stream.inMemory() ? HeapSize.ofArray(stream.length()) : 0;
    } else if (value instanceof Map<?, ?> map) {
      map.forEach(
          (key, element) -> {
            add(key, depth + 1);
            add(element, depth + 1);
          });
    } else if (value instanceof Collection<?> elements) {
      elements.forEach(element -> add(element, depth + 1));
    } else if (value instanceof Object[] elements) {
      for (Object element : elements) {
        add(element, depth + 1);
      }
    } else if (value instanceof Optional<?> optional) {
      add(optional.orElse(null), depth + 1);
    } else if (value instanceof RawValue raw) {
      add(raw.rawValue(), depth + 1);
    } else if (value instanceof Record record) {
      for (Method accessor : ACCESSORS.get(record.getClass())) {
        add(component(record, accessor), depth + 1);
      }
    }
  }

  private void add(JsonNode json, int depth) {
    if (json.isTextual()) {
      add(json.textValue(), depth + 1);
    } else if (json instanceof POJONode pojo) {
      add(pojo.getPojo(), depth + 1);
    } else if (json.isObject()) {
      json.properties()
          .forEach(
              field -> {
                add(field.getKey(), depth + 1);
                add(field.getValue(), depth + 1);
              });
    } else {
      json.forEach(element -> add(element, depth + 1));
    }
  }

  private static @Nullable Object component(Record record, Method accessor) {
    try {
      return accessor.invoke(record);
    } catch (ReflectiveOperationException e) {
      // an author's accessor has failed
      return null;
    }
  }
}
