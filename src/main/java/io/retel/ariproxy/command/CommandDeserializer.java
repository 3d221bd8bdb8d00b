// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the values of command records: a byte array, or a {@link LargeRecord} instead of one that
 * is too large to be a command.
 *
 * <p>One poll returns dozens of records, which can be much larger than the topic's {@code
 * max.message.bytes} if they are compressed. A large one is scanned where it is, without copying
 * its body. Thread-safe.
 */
public final class CommandDeserializer implements Deserializer<Object> {

  /** Ids, url and fields that the proxy ignores. */
  private static final long MAX_SIZE_WITHOUT_BODY = 256 * 1024;

  /** A character of a body can be escaped in JSON, such as backslash u0041. */
  private static final int MAX_BYTES_PER_CHARACTER = 6;

  /** Maximum size of a field of a large record. */
  private static final int MAX_FIELD_SIZE = 65_536;

  private static final ObjectMapper MAPPER =
      CommandParser.JSON.copy().disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** Without limit of tokens, which are skipped. */
  private static final JsonFactory JSON = new JsonFactory();

  private static final String COMMAND_ID = "commandId";
  private static final String ARI_COMMAND = "ariCommand";
  private static final Set<String> IDS = Set.of("callContext", COMMAND_ID);
  private static final Set<String> REQUEST_FIELDS = Set.of("method", "url");

  private final long maxSize;

  /**
   * @param maxRequestBodyBytes the largest body of a command, in bytes
   */
  public CommandDeserializer(long maxRequestBodyBytes) {
    this.maxSize = MAX_SIZE_WITHOUT_BODY + MAX_BYTES_PER_CHARACTER * maxRequestBodyBytes;
  }

  @Override
  public @Nullable Object deserialize(String topic, byte @Nullable [] value) {
    return value == null ? null : deserialize(value, 0, value.length);
  }

  @Override
  public @Nullable Object deserialize(String topic, Headers headers, @Nullable ByteBuffer value) {
    if (value == null) {
      return null;
    }
    if (!value.hasArray()) {
      byte[] copy = new byte[value.remaining()];
      value.duplicate().get(copy);
      return deserialize(copy, 0, copy.length);
    }
    return deserialize(value.array(), value.arrayOffset() + value.position(), value.remaining());
  }

  private Object deserialize(byte[] source, int offset, int size) {
    if (size <= maxSize) {
      byte[] value = new byte[size];
      System.arraycopy(source, offset, value, 0, size);
      return value;
    }
    return new LargeRecord(readFields(source, offset, size), size, maxSize);
  }

  /**
   * Returns the small fields of a record that its RESPONSE repeats, as far as they can be read. The
   * record itself can have too many values for a tree.
   */
  static JsonNode readFields(byte[] source, int offset, int size) {
    ObjectNode fields = MAPPER.createObjectNode();
    try (JsonParser parser = JSON.createParser(source, offset, size)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        readFields(parser, source, offset, IDS, fields);
      }
    } catch (IOException | RuntimeException e) {
      // the rest is not JSON, or has a number with an excessive exponent
    }
    return fields;
  }

  /** Copies small fields to the target; strings that are skipped are not decoded. */
  private static void readFields(
      JsonParser parser, byte[] source, int offset, Set<String> names, ObjectNode target)
      throws IOException {
    JsonToken token = parser.nextToken();
    while (token == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken first = parser.nextToken();
      if (first == JsonToken.START_OBJECT && names.equals(IDS) && name.equals(ARI_COMMAND)) {
        readFields(parser, source, offset, REQUEST_FIELDS, target.putObject(name));
        token = parser.nextToken();
      } else {
        long start = parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        token = parser.nextToken();
        long end = parser.currentTokenLocation().getByteOffset();
        boolean isRepeated =
            names.contains(name) && (first.isScalarValue() || name.equals(COMMAND_ID));
        if (isRepeated && start >= 0 && end - start <= MAX_FIELD_SIZE) {
          // Jackson rejects a number in front of a comma or bracket outside an object
          int size = sizeWithoutSeparators(source, (int) (offset + start), (int) (offset + end));
          try (JsonParser value = JSON.createParser(source, (int) (offset + start), size)) {
            JsonNode tree = MAPPER.readTree(value);
            target.set(name, tree.isContainerNode() ? CommandParser.rawValue(tree) : tree);
          }
        }
      }
    }
  }

  /** Returns the size of the value from start to end, without what separates it from the next. */
  private static int sizeWithoutSeparators(byte[] source, int start, int end) {
    int last = end - 1;
    while (last > start && (source[last] == ',' || source[last] <= ' ')) {
      last--;
    }
    return last + 1 - start;
  }
}
