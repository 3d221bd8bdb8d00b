// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.retel.ariproxy.text.JsonLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads the values of command records: a byte array, or a {@link LargeRecord} instead of one that
 * is too large to be a command, or whose body is too large: its tree would take many times its
 * bytes.
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
  private static final JsonFactory JSON = JsonLimits.factory();

  private static final String COMMAND_ID = "commandId";
  private static final String ARI_COMMAND = "ariCommand";
  private static final String BODY = "body";
  private static final Set<String> IDS = Set.of("callContext", COMMAND_ID);
  private static final Set<String> REQUEST_FIELDS = Set.of("method", "url");

  private final long maxRequestBodyBytes;
  private final long maxSize;

  /**
   * @param maxRequestBodyBytes the largest body of a command, in bytes
   */
  public CommandDeserializer(long maxRequestBodyBytes) {
    this.maxRequestBodyBytes = maxRequestBodyBytes;
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
    if (size > maxSize) {
      return new LargeRecord(
          readFields(source, offset, size),
          "The command has "
              + size
              + " bytes; the limit is "
              + maxSize
              + " (it depends on ari.max-request-body)");
    }
    if (size > maxRequestBodyBytes && hasLargeBody(source, offset, size)) {
      return new LargeRecord(
          readFields(source, offset, size),
          "The command's body has more than "
              + maxRequestBodyBytes
              + " bytes (ari.max-request-body)");
    }
    byte[] value = new byte[size];
    System.arraycopy(source, offset, value, 0, size);
    return value;
  }

  /**
   * Whether the body of a command is too large for its request. The request has neither its
   * whitespace nor its escapes, so few of the smaller bodies remain for {@link CheckCommand}.
   */
  private boolean hasLargeBody(byte[] source, int offset, int size) {
    try (JsonParser parser = JSON.createParser(source, offset, size)) {
      if (parser.nextToken() == JsonToken.START_OBJECT
          && findField(parser, ARI_COMMAND)
          && parser.nextToken() == JsonToken.START_OBJECT
          && findField(parser, BODY)) {
        parser.nextToken();
        return isLarge(parser);
      }
    } catch (IOException | RuntimeException e) {
      // the parser of commands reports it
    }
    return false;
  }

  /** Moves to the first field of a name in the current object. */
  private static boolean findField(JsonParser parser, String name) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      if (parser.currentName().equals(name)) {
        return true;
      }
      parser.nextToken();
      parser.skipChildren();
    }
    return false;
  }

  /** Adds up the least that the tokens of the current value can have in UTF-8. */
  private boolean isLarge(JsonParser parser) throws IOException {
    long bytes = 0;
    int depth = 0;
    do {
      JsonToken token = parser.currentToken();
      if (token.isStructEnd()) {
        depth--;
      } else if (token == JsonToken.FIELD_NAME) {
        // with quotes, colon and comma
        bytes += parser.getTextLength() + 4L;
      } else {
        JsonStreamContext parent = parser.getParsingContext();
        if (token.isStructStart()) {
          depth++;
          parent = parent.getParent();
        }
        // brackets without the comma that the first element lacks; a number can have a shorter form
        bytes += token == JsonToken.VALUE_STRING ? parser.getTextLength() + 2L : 1;
        bytes += parent.inArray() ? 1 : 0;
      }
      if (bytes > maxRequestBodyBytes) {
        return true;
      }
    } while (depth > 0 && parser.nextToken() != null);
    return false;
  }

  /**
   * Returns the small fields of a record that its RESPONSE repeats, as far as they can be read. The
   * record itself can have too many values for a tree.
   */
  static ObjectNode readFields(byte[] source, int offset, int size) {
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
