package io.retel.ariproxy.logging;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.retel.ariproxy.ari.Resource;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Masks what tells who talks to whom, in what is shown to people who look for a fault: numbers and
 * names of callers, what is dialed, and what channel variables and messages say. Ids of channels,
 * bridges, playbacks and recordings stay, and so does what is empty. Nothing else that is published
 * or sent is masked than a login in a url.
 *
 * <p>The names are those of ARI's models (rest-api/*.json of Asterisk 22).
 */
public final class PayloadMasker {

  /** What stands in the place of what is masked. */
  public static final String MASKED = "***";

  /** CallerID objects: number and name. */
  private static final Set<String> CALLER_FIELDS = Set.of("caller", "connected");

  /** Objects with variables of the dialplan. */
  private static final Set<String> VARIABLE_FIELDS =
      Set.of("channelvars", "variables", "userevent");

  /** Texts, in events, in bodies of commands and as parameters of their urls. */
  private static final Set<String> MASKED_FIELDS =
      Set.of(
          "app_data",
          "appArgs",
          "args",
          "body",
          "callerId",
          "destination",
          "dialplan_app_data",
          "dialstring",
          "digit",
          "dtmf",
          "endpoint",
          "exten",
          "extension",
          "forward",
          "from",
          "resource",
          "to",
          "value");

  /** Types of resources whose ids are somebody's address. */
  private static final Set<String> ADDRESS_TYPES = Set.of("ENDPOINT", "MAILBOX", "DEVICE");

  /** What the proxy itself goes by. */
  private static final String CALL_CONTEXT = "CALL_CONTEXT";

  /** Technology and the number that makes it unique stay: PJSIP/alice-0000001f, Local/1@a-01;2. */
  private static final Pattern CHANNEL_NAME =
      Pattern.compile("(\\w+/).+(-[0-9a-f]{8}(;[12])?)", Pattern.DOTALL);

  private static final Pattern PATH_WITH_ADDRESS =
      Pattern.compile("(/endpoints/[^/?]+/|/mailboxes/)[^/?]+");

  private static final Pattern URL_USER_INFO = Pattern.compile("^(\\w*+:?//)[^/?#]*@");

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final boolean enabled;

  /**
   * @param on whether anything is masked
   */
  public PayloadMasker(boolean enabled) {
    this.enabled = enabled;
  }

  /**
   * A text that may be JSON, a url or a query; what is none of them stays as it is.
   *
   * @param text any text, or null
   */
  public String mask(String text) {
    if (!enabled || text == null) {
      return text;
    }
    if (text.startsWith("{") || text.startsWith("[")) {
      try {
        return maskNode("", JSON.readTree(text)).toString();
      } catch (JsonProcessingException e) {
        return "no JSON, " + text.length() + " characters";
      }
    }
    return text.indexOf('=') > 0 && text.indexOf(' ') < 0 ? maskUrl(text) : maskPath(text);
  }

  /** A url of a command, or its query alone. */
  public String maskUrl(String url) {
    if (!enabled) {
      return url;
    }
    int questionMark = url.indexOf('?');
    String path =
        questionMark < 0 && url.startsWith("/") ? url : url.substring(0, questionMark + 1);
    return maskPath(path)
        + maskQuery(
            url.substring(path.length()),
            name -> MASKED_FIELDS.contains(name) || isCredential(name));
  }

  /**
   * A url without the user and the password that may stand in it, in what is published as well and
   * whatever the setting is: the proxy logs in by itself, and takes neither from controllers.
   *
   * @param url what somebody has written as one, or null
   */
  public static String maskCredentials(String url) {
    if (url == null) {
      return null;
    }
    int questionMark = url.indexOf('?');
    String path = url.substring(0, questionMark + 1);
    String masked = path + maskQuery(url.substring(path.length()), PayloadMasker::isCredential);
    return URL_USER_INFO.matcher(masked).replaceFirst("$1" + MASKED + "@");
  }

  /**
   * The path of a url, for lines of any level: neither endpoint nor mailbox stands in it, whatever
   * the setting is.
   */
  public static String maskPath(String url) {
    return url.contains("/endpoints/") || url.contains("/mailboxes/")
        ? PATH_WITH_ADDRESS.matcher(url).replaceAll("$1" + MASKED)
        : url;
  }

  /**
   * The key of a resource, for lines of any level: without the address of an endpoint or mailbox.
   */
  public static String maskedKey(Resource resource) {
    return ADDRESS_TYPES.contains(resource.type().name())
        ? resource.type() + ":" + MASKED
        : resource.key();
  }

  /** Asterisk takes this one name in any case. */
  private static boolean isCredential(String parameter) {
    return parameter.equalsIgnoreCase("api_key");
  }

  private static String maskQuery(String query, Predicate<String> isSensitive) {
    if (query.isEmpty()) {
      return query;
    }
    StringBuilder masked = new StringBuilder();
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? pair : pair.substring(0, equals);
      if (!masked.isEmpty()) {
        masked.append('&');
      }
      masked.append(
          equals >= 0 && equals < pair.length() - 1 && isSensitive.test(decode(name))
              ? name + "=" + MASKED
              : pair);
    }
    return masked.toString();
  }

  private static String decode(String name) {
    try {
      return URLDecoder.decode(name, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return name;
    }
  }

  private JsonNode maskNode(String field, JsonNode node) {
    if (node.isObject()) {
      return maskObject(field, node);
    }
    if (node.isArray()) {
      ArrayNode array = JsonNodeFactory.instance.arrayNode();
      node.forEach(element -> array.add(maskNode(field, element)));
      return array;
    }
    if (MASKED_FIELDS.contains(field)) {
      return maskValue(node);
    }
    if (!node.isTextual()) {
      return node;
    }
    String text = node.textValue();
    if (field.equals("url")) {
      return TextNode.valueOf(maskUrl(text));
    }
    var channelName = CHANNEL_NAME.matcher(text);
    return channelName.matches()
        ? TextNode.valueOf(channelName.group(1) + MASKED + channelName.group(2))
        : node;
  }

  private ObjectNode maskObject(String field, JsonNode node) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    boolean isAddress = ADDRESS_TYPES.contains(node.path("type").asText());
    // a Dial's caller is a channel
    boolean isCaller = CALLER_FIELDS.contains(field) && !node.has("id");
    boolean isCallContext = node.path("variable").asText().equals(CALL_CONTEXT);
    node.fields()
        .forEachRemaining(
            child -> {
              String name = child.getKey();
              JsonNode value = child.getValue();
              boolean isVisible =
                  name.equals(CALL_CONTEXT) || isCallContext && name.equals("value");
              boolean isSensitive =
                  isCaller || VARIABLE_FIELDS.contains(field) || isAddress && name.equals("id");
              if (isVisible) {
                object.set(name, value);
              } else {
                object.set(name, isSensitive ? maskValue(value) : maskNode(name, value));
              }
            });
    return object;
  }

  private static JsonNode maskValue(JsonNode node) {
    return node.isNull() || node.isTextual() && node.textValue().isEmpty()
        ? node
        : TextNode.valueOf(MASKED);
  }
}
