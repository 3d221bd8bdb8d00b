// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.retel.ariproxy.ari.PathEncoding;
import io.retel.ariproxy.ari.Resource;
import io.retel.ariproxy.ari.ResourceType;
import io.retel.ariproxy.ari.http.AriClient;
import io.retel.ariproxy.ari.http.TooLargeException;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.JsonLimits;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds resources that do not exist in Asterisk, with one request at a time.
 *
 * <p>Lists channels and bridges, and queries playbacks, recordings and small numbers of the others
 * one by one. A resource is missing only if a complete list lacks it or its own response is a 404;
 * any failure counts as existing. Stops when Asterisk is slow. Reads responses as streams, limited
 * in bytes. For one thread, except for {@link #close}.
 */
public final class ResourceLookup implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(ResourceLookup.class);

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
          // a long list can have any number of names
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              JsonLimits.constraints().maxStringLength(2 * Resource.MAX_ID_LENGTH).build())
          .build();

  private static final int OK = 200;
  private static final int NOT_FOUND = 404;

  /** Of a resource with a long description: it exists. Not the answer to a ping. */
  private static final int TOO_LARGE = -1;

  /** Paths of the types to compare. */
  private static final Map<ResourceType, String> PATHS =
      Map.of(
          ResourceType.CHANNEL, "/channels",
          ResourceType.BRIDGE, "/bridges",
          ResourceType.PLAYBACK, "/playbacks",
          ResourceType.RECORDING, "/recordings/live");

  private static final Set<ResourceType> LISTABLE =
      Set.of(ResourceType.CHANNEL, ResourceType.BRIDGE);

  /** Up to this number, single requests cost Asterisk less than the list of all its channels. */
  private static final int MIN_LISTED = 50;

  /** Single requests per comparison: a few minutes, at most one percent of Asterisk's capacity. */
  private static final int MAX_SINGLE_REQUESTS = 20_000;

  private static final Duration SINGLE_REQUEST_DELAY = Duration.ofMillis(10);

  /** A response takes about a millisecond. */
  private static final Duration SLOW = Duration.ofSeconds(1);

  private static final long MAX_RESPONSE_BYTES = 1L << 20;

  private final AriClient client;
  private final Duration slow;
  private final long maxListBytes;
  private volatile boolean closed;

  /** Owns the client. */
  public ResourceLookup(AriClient client) {
    this(client, SLOW, AriClient.MAX_LIST_BYTES);
  }

  ResourceLookup(AriClient client, Duration slow, long maxListBytes) {
    this.client = client;
    this.slow = slow;
    this.maxListBytes = maxListBytes;
  }

  /**
   * Returns those of the resources that certainly do not exist: Asterisk responds to pings before
   * and after. Otherwise, a 404 can be of what answers in its place.
   */
  List<Resource> findMissing(Collection<Resource> resources) throws InterruptedException {
    Map<ResourceType, Set<String>> ids = idsByType(resources);
    List<Resource> missing = new ArrayList<>();
    if (!ids.isEmpty() && respondsToPing()) {
      addMissing(ids, missing);
    }
    return missing.isEmpty() || respondsToPing() ? missing : List.of();
  }

  private boolean respondsToPing() {
    try {
      int status = status("/asterisk/ping");
      if (status == OK) {
        return true;
      }
      LOG.debug("Comparison incomplete: Asterisk responded to a ping with {}", status);
    } catch (IOException e) {
      LOG.debug("Comparison incomplete: {}", ErrorMessages.singleLine(e));
    }
    return false;
  }

  private void addMissing(Map<ResourceType, Set<String>> idsByType, List<Resource> missing)
      throws InterruptedException {
    try {
      List<Resource> unlisted = new ArrayList<>();
      for (Map.Entry<ResourceType, Set<String>> group : idsByType.entrySet()) {
        ResourceType type = group.getKey();
        Set<String> ids = group.getValue();
        boolean listed =
            LISTABLE.contains(type) && ids.size() > MIN_LISTED && removeListed(type, ids);
        (listed ? missing : unlisted)
            .addAll(ids.stream().map(id -> new Resource(type, id)).toList());
      }
      // others next time, if there are too many
      Collections.shuffle(unlisted);
      for (Resource resource :
          unlisted.subList(0, Math.min(unlisted.size(), MAX_SINGLE_REQUESTS))) {
        if (status(PATHS.get(resource.type()) + "/" + PathEncoding.encode(resource.id()))
            == NOT_FOUND) {
          missing.add(resource);
        }
        Thread.sleep(SINGLE_REQUEST_DELAY.toMillis());
      }
    } catch (IOException e) {
      LOG.debug("Comparison incomplete: {}", ErrorMessages.singleLine(e));
    }
  }

  private static Map<ResourceType, Set<String>> idsByType(Collection<Resource> resources) {
    Map<ResourceType, Set<String>> ids = new EnumMap<>(ResourceType.class);
    for (Resource resource : resources) {
      if (PATHS.containsKey(resource.type())) {
        ids.computeIfAbsent(resource.type(), type -> new HashSet<>()).add(resource.id());
      }
    }
    return ids;
  }

  /**
   * Removes the ids that Asterisk lists, which is certain even if the list is incomplete.
   *
   * @return whether the list is complete
   * @throws IOException if Asterisk is slow or not reachable
   */
  private boolean removeListed(ResourceType type, Set<String> ids) throws IOException {
    String path = Objects.requireNonNull(PATHS.get(type));
    String problem;
    try {
      int status = client.readList(path, maxListBytes, body -> removeListed(body, ids));
      if (status == OK) {
        return true;
      }
      problem = "status " + status;
    } catch (JsonProcessingException e) {
      problem = "malformed JSON";
    } catch (IOException e) {
      problem = ErrorMessages.singleLine(e);
    }
    if (closed) {
      throw new IOException("closed");
    }
    LOG.warn(
        "Comparison without GET {}: {}; querying up to {} mapped resources one by one",
        path,
        problem,
        MAX_SINGLE_REQUESTS);
    return false;
  }

  private static void removeListed(InputStream list, Set<String> ids) throws IOException {
    JsonParser parser = JSON.createParser(list);
    if (parser.nextToken() != JsonToken.START_ARRAY) {
      throw new IOException("the response is not a JSON array");
    }
    while (parser.nextToken() == JsonToken.START_OBJECT) {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean isId = parser.currentName().equals("id");
        parser.nextToken();
        if (isId) {
          ids.remove(parser.getText());
        } else {
          parser.skipChildren();
        }
      }
    }
    if (parser.currentToken() != JsonToken.END_ARRAY || parser.nextToken() != null) {
      throw new IOException("the response is not an array of objects");
    }
  }

  /**
   * Returns the status of a GET; {@link #TOO_LARGE} for a 200 with a long body.
   *
   * @throws IOException if Asterisk is slow or not reachable
   */
  private int status(String path) throws IOException {
    long startNanos = System.nanoTime();
    int status;
    try {
      status = client.read(path, MAX_RESPONSE_BYTES, body -> {});
    } catch (TooLargeException e) {
      status = TOO_LARGE;
    }
    Duration duration = Duration.ofNanos(System.nanoTime() - startNanos);
    if (duration.compareTo(slow) > 0) {
      throw new IOException("Asterisk is slow: " + duration.toMillis() + " ms for a response");
    }
    return status;
  }

  /** Aborts the current request, and all later ones. */
  @Override
  public void close() {
    closed = true;
    client.close();
  }
}
