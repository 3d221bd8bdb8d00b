// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.text.JsonLimits;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.regex.Pattern;

/**
 * Masker of personal data in diagnostics: numbers and names of callers, dialed numbers, and values
 * of channel variables and messages.
 *
 * <p>What is not known to be harmless is masked. Ids of channels, bridges, playbacks and recordings
 * stay visible, and so do empty values and booleans. Published and sent data is not masked, except
 * for credentials in a URL.
 *
 * <p>Field names come from ARI's models (rest-api/*.json of Asterisk 22).
 */
public final class PayloadMasker {

  /** Replacement for masked values. */
  public static final String MASKED = "***";

  /** CallerID objects: number and name. */
  private static final Set<String> CALLER_FIELDS = Set.of("caller", "connected");

  /** Objects with dialplan variables. */
  private static final Set<String> VARIABLE_FIELDS =
      Set.of("bridgevars", "channelvars", "variables", "userevent");

  /**
   * Fields of events, RESPONSEs and commands, and parameters of URLs, without personal data. All
   * others are masked, so that one of a later version of Asterisk is.
   */
  private static final Set<String> VISIBLE_FIELDS =
      Set.of(
          """
          absorbDTMF accountcode after announcer_format app app_name application asterisk_id
          attribute beep before between bridge_class bridge_ids bridge_type bridgeId
          callContext callContexts caller_presentation caller_presentation_txt cause
          cause_txt channel channel_ids channel_uniqueid channelId channels commandId
          commandsTopic configuration connection_type contact_status content_type context
          creationtime creator date default_language description destination_application
          destination_bridge destination_type destinationRecordingName deviceState
          dialplan_app dialstatus direction duration duration_ms encapsulation entity_id
          eventname expiresAt format formats gap_end gap_start id ifExists
          inhibitConnectedLineUpdates kernel label lang language last_reload_time late
          local_maxjitter local_maxrxploss local_minjitter local_minrxploss
          local_normdevjitter local_normdevrxploss local_ssrc local_stdevjitter
          local_stdevrxploss machine max_channels max_load max_open_files maxDurationSeconds
          maxrtt maxSilenceSeconds message method minrtt mohClass musicclass mute
          new_messages newMessages normdevrtt offsetms old_messages old_video_source_id
          oldMessages only operation options originator os otherChannelId outcome
          parameter_name params peer_status ping playbackId priority protocol_id reason
          reason_code reason_phrase recorder_format remote_maxjitter remote_maxrxploss
          remote_minjitter remote_minrxploss remote_normdevjitter remote_normdevrxploss
          remote_ssrc remote_stdevjitter remote_stdevrxploss report_events request_id result
          role roundtrip_usec rtt rxcount rxjitter rxoctetcount rxploss silence_duration
          skipms snoopId spy startup_time state states status status_code stdevrtt
          subscribeAll support_level synthesized_by talking_duration target_uri tech_cause
          technology tenantid terminateOn time timeout timestamp to_self transaction_id
          transport txcount txjitter txoctetcount txploss type use_count variable version
          video_mode video_source_id whisper winner_app
          """
              .strip()
              .split("\\s+"));

  /** What is played: also digits, or a URL with a token. */
  private static final Set<String> MEDIA_FIELDS = Set.of("media", "media_uri", "next_media_uri");

  /** One element of a list: a pattern that repeats a group takes stack for each repetition. */
  private static final Pattern VISIBLE_MEDIA = Pattern.compile("(sound|recording|tone):[\\w./-]+");

  /**
   * Directories of Asterisk's sounds for digits and letters: what a caller has entered, played back
   * one by one, as {@code digits:} and {@code characters:} do.
   */
  private static final Pattern SPOKEN_CHARACTERS =
      Pattern.compile("[:/](digits|letters|phonetic)/", Pattern.CASE_INSENSITIVE);

  /** Fields of an object whose name is not an address, such as that of a device or mailbox. */
  private static final List<String> FIELDS_OF_NAMED =
      List.of("id", "type", "format", "channel_ids", "support_level");

  /** Resource types whose id is an address. */
  private static final Set<String> ADDRESS_TYPES = Set.of("ENDPOINT", "MAILBOX", "DEVICE");

  private static final String NAME = "name";

  /** The variable that the proxy uses itself; never masked. */
  private static final String CALL_CONTEXT = "CALL_CONTEXT";

  /**
   * Channel names: technology and unique suffix stay visible: PJSIP/alice-0000001f, Local/1@a-01;2.
   */
  private static final Pattern CHANNEL_NAME =
      Pattern.compile("(\\w+/).+(-[0-9a-f]{8}(;[12])?)", Pattern.DOTALL);

  private static final Pattern PATH_WITH_ADDRESS =
      Pattern.compile("(/endpoints/[^/?]+/|/mailboxes/|/deviceStates/)[^/?]+");

  private static final Pattern ADDRESS_SOURCE =
      Pattern.compile("^(endpoint:|deviceState:).*", Pattern.DOTALL);

  private static final Pattern URL_USER_INFO = Pattern.compile("^(\\w*+:?//)[^/?#]*@");

  /** A JSON text needs many times its size of heap to be masked. Log lines are much shorter. */
  static final int MAX_LENGTH = 256 << 10;

  /** Masking takes several frames of the stack for each level. Asterisk nests about five. */
  private static final int MAX_DEPTH = 100;

  private static final char BYTE_ORDER_MARK = '\ufeff';

  /** What Java decodes instead of bytes that are not UTF-8. */
  private static final char NOT_UTF_8 = '\ufffd';

  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      JsonLimits.constraints().maxNestingDepth(MAX_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final boolean enabled;

  /**
   * @param enabled whether to mask personal data
   */
  public PayloadMasker(boolean enabled) {
    this.enabled = enabled;
  }

  /**
   * Masks a text in UTF-8, like {@link #mask(String)}. Of an unmasked one, returns the beginning.
   */
  public String mask(byte[] text) {
    return enabled && text.length > MAX_LENGTH
        ? tooLarge(text.length + " bytes")
        : mask(new String(text, 0, Math.min(text.length, MAX_LENGTH), StandardCharsets.UTF_8));
  }

  /**
   * Masks a text that can be JSON, a URL or a query. Other text is returned unchanged, except
   * malformed JSON and a text that is too large or too complex to be masked, which are replaced.
   */
  public String mask(String text) {
    if (!enabled) {
      return text;
    }
    if (text.length() > MAX_LENGTH) {
      return tooLarge(text.length() + " characters");
    }
    String json = withoutStart(text);
    if (json.startsWith("{") || json.startsWith("[")) {
      try {
        return maskNode("", JSON.readTree(json)).toString();
      } catch (StreamConstraintsException e) {
        return tooComplex(text);
      } catch (JsonProcessingException e) {
        return "malformed JSON, " + text.length() + " characters";
      }
    }
    return text.indexOf('=') > 0 && text.indexOf(' ') < 0 ? maskUrl(text) : maskPath(text);
  }

  /**
   * Returns the text from its first visible character: JSON can follow white space and a byte order
   * mark, and in UTF-16 or UTF-32, zeros.
   */
  private static String withoutStart(String text) {
    int start = 0;
    while (start < text.length() && isInvisible(text.charAt(start))) {
      start++;
    }
    return text.substring(start);
  }

  private static boolean isInvisible(char character) {
    return character <= ' ' || character == BYTE_ORDER_MARK || character == NOT_UTF_8;
  }

  /**
   * Masks a JSON text.
   *
   * @throws IllegalArgumentException if it is too large or too complex to be masked, or not JSON
   */
  String maskJson(String text) {
    if (text.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(tooLarge(text.length() + " characters"));
    }
    try {
      return maskNode("", JSON.readTree(text)).toString();
    } catch (StreamConstraintsException e) {
      throw new IllegalArgumentException(tooComplex(text), e);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not JSON", e);
    }
  }

  private static String tooLarge(String size) {
    return size + ", too large to be masked";
  }

  /** Describes a text that is nested too deeply, or has the name of a field that is too long. */
  private static String tooComplex(String text) {
    return text.length() + " characters, too complex to be masked";
  }

  /** Masks the URL of a command, or its query alone. */
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
            (name, value) ->
                isCredential(name)
                    || !name.equals(NAME)
                        && !VISIBLE_FIELDS.contains(name)
                        && !isVisibleMedia(name, value));
  }

  /**
   * Masks credentials in a URL, regardless of the setting, including in published data. The proxy
   * authenticates with its own credentials and rejects credentials from controllers.
   *
   * @param url any text that is supposed to be a URL
   */
  public static String maskCredentials(String url) {
    int questionMark = url.indexOf('?');
    String path = url.substring(0, questionMark + 1);
    String masked =
        path + maskQuery(url.substring(path.length()), (name, value) -> isCredential(name));
    return URL_USER_INFO.matcher(masked).replaceFirst("$1" + MASKED + "@");
  }

  /**
   * Masks endpoints, mailboxes and devices in a URL's path, for log lines of any level and
   * regardless of the setting.
   */
  public static String maskPath(String url) {
    return PATH_WITH_ADDRESS.matcher(url).replaceAll("$1" + MASKED);
  }

  /**
   * Returns a resource's key for log lines of any level, without the address of an endpoint or
   * mailbox.
   */
  public static String maskedKey(Resource resource) {
    return resource.toString();
  }

  /**
   * Returns an event source of a subscription, such as {@code channel:1}, for log lines of any
   * level, without the address of an endpoint or device.
   */
  public static String maskedSource(String source) {
    return ADDRESS_SOURCE.matcher(source).replaceFirst("$1" + MASKED);
  }

  /** Asterisk treats this name as case-insensitive. */
  private static boolean isCredential(String parameter) {
    return parameter.equalsIgnoreCase("api_key");
  }

  private static boolean isVisibleMedia(String field, String value) {
    return MEDIA_FIELDS.contains(field)
        && !SPOKEN_CHARACTERS.matcher(value).find()
        && Arrays.stream(value.split(",", -1))
            .allMatch(element -> VISIBLE_MEDIA.matcher(element).matches());
  }

  private static String maskQuery(String query, BiPredicate<String, String> isSensitive) {
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
          equals >= 0
                  && equals < pair.length() - 1
                  && isSensitive.test(decode(name), decode(pair.substring(equals + 1)))
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
    if (node.isBoolean()) {
      return node;
    }
    String text = node.asText();
    if (field.equals("url")) {
      return TextNode.valueOf(maskUrl(text));
    }
    if (!VISIBLE_FIELDS.contains(field)) {
      return isVisibleMedia(field, text) ? node : maskValue(node);
    }
    return maskChannelName(node);
  }

  private static JsonNode maskChannelName(JsonNode node) {
    if (!node.isTextual()) {
      return node;
    }
    var channelName = CHANNEL_NAME.matcher(node.textValue());
    return channelName.matches()
        ? TextNode.valueOf(channelName.group(1) + MASKED + channelName.group(2))
        : node;
  }

  private ObjectNode maskObject(String field, JsonNode node) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    boolean isAddress = ADDRESS_TYPES.contains(node.path("type").asText());
    // the caller of a Dial event is a channel
    boolean isCaller = CALLER_FIELDS.contains(field) && !node.has("id");
    boolean isNamed = FIELDS_OF_NAMED.stream().anyMatch(node::has);
    boolean isCallContext = node.path("variable").asText().equals(CALL_CONTEXT);
    node.properties()
        .forEach(
            child -> {
              String name = child.getKey();
              JsonNode value = child.getValue();
              boolean isVisible =
                  name.equals(CALL_CONTEXT) || isCallContext && name.equals("value");
              boolean isSensitive =
                  isCaller || VARIABLE_FIELDS.contains(field) || isAddress && name.equals("id");
              if (isVisible) {
                object.set(name, value);
              } else if (!isSensitive && isNamed && name.equals(NAME) && value.isTextual()) {
                object.set(name, maskChannelName(value));
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
