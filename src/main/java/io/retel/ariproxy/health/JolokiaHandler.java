// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.health;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.health.RefusedRequests.Reason;
import io.retel.ariproxy.text.LogText;
import io.vertx.core.MultiMap;
import io.vertx.core.Vertx;
import io.vertx.core.WorkerExecutor;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jolokia.core.api.LogHandler;
import org.jolokia.json.JSONObject;
import org.jolokia.json.JSONStructure;
import org.jolokia.server.core.config.ConfigKey;
import org.jolokia.server.core.config.StaticConfiguration;
import org.jolokia.server.core.http.HttpRequestHandler;
import org.jolokia.server.core.request.BadRequestException;
import org.jolokia.server.core.service.JolokiaServiceManagerFactory;
import org.jolokia.server.core.service.api.JolokiaServiceManager;
import org.jolokia.server.core.util.NetworkUtil;
import org.jolokia.service.jmx.LocalRequestHandler;
import org.jolokia.service.serializer.JolokiaSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * JMX over HTTP, with Jolokia's protocol, for what {@link JmxAccess} allows. GET only reads; what
 * changes something is a POST of JSON, which no web page can send without a preflight request.
 */
final class JolokiaHandler implements AutoCloseable {

  static final String PATH = "/observe/jolokia";

  private static final Logger LOG = LoggerFactory.getLogger(JolokiaHandler.class);

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Pattern READ_PATH =
      Pattern.compile("/?|/(read|list|search|version)(/.*)?", Pattern.DOTALL);

  /**
   * An escape sequence; the groups are the digits of a control character whose last one Jolokia
   * 2.5.0 takes from the characters that follow {@code 9}, such as {@code ;} for {@code b}.
   */
  private static final Pattern ESCAPE = Pattern.compile("\\\\(?:u00([01])([:-?])|.)");

  /** As jolokia.js sends it, also as text/json. */
  private static final Pattern JSON_TYPE =
      Pattern.compile("(application|text)/json\\s*(;.*)?", Pattern.CASE_INSENSITIVE);

  /** Key of the message in a response. */
  private static final String ERROR = "error";

  private static final int MAX_REQUEST_BYTES = 256 << 10;
  private static final int MAX_BULK_REQUESTS = 1_000;
  private static final int MAX_RESPONSE_CHARACTERS = 4 << 20;
  private static final int MAX_THREADS = 2;
  private static final int MAX_IN_WORK = 20;

  private final Secret token;
  private final boolean isTokenRequired;
  private final RefusedRequests refused;
  private final Consumer<RoutingContext> onReceived;
  private final JmxAccess access;
  private final WorkerExecutor executor;
  private final JolokiaServiceManager services;
  private final HttpRequestHandler handler;

  /** Requests on a thread or waiting for one, also of clients that have disconnected. */
  private final AtomicInteger inWork = new AtomicInteger();

  /**
   * @param token empty if none is required; read for each request
   * @param onReceived called when a request has arrived completely
   */
  JolokiaHandler(
      Vertx vertx, Secret token, RefusedRequests refused, Consumer<RoutingContext> onReceived) {
    this.token = token;
    this.isTokenRequired = !token.reveal().isEmpty();
    this.refused = refused;
    this.onReceived = onReceived;
    this.access = new JmxAccess(refused);
    // not the threads of health and metrics, since an operation may take minutes
    this.executor = vertx.createSharedWorkerExecutor("jolokia", MAX_THREADS);
    this.services =
        JolokiaServiceManagerFactory.createJolokiaServiceManager(
            new StaticConfiguration(
                ConfigKey.AGENT_ID,
                NetworkUtil.getAgentId(System.identityHashCode(this), "vertx"),
                ConfigKey.DISCOVERY_ENABLED,
                "false",
                ConfigKey.ALLOW_ERROR_DETAILS,
                "false",
                ConfigKey.MAX_DEPTH,
                "10",
                ConfigKey.MAX_COLLECTION_SIZE,
                "10000",
                ConfigKey.MAX_OBJECTS,
                "50000"),
            new JolokiaLog(),
            access);
    services.addService(new JolokiaSerializer());
    services.addService(new LocalRequestHandler(0));
    this.handler = new HttpRequestHandler(services.start());
  }

  /** Whether a request is for JMX, both literally and for the router, which resolves dots. */
  static boolean isPath(RoutingContext routing) {
    return isPath(routing.request().path()) && isPath(routing.normalizedPath());
  }

  private static boolean isPath(@Nullable String path) {
    return path != null && (path.equals(PATH) || path.startsWith(PATH + "/"));
  }

  void addTo(Router router) {
    router.route(PATH + "/*").handler(this::admit);
    router
        .route(PATH + "/*")
        .handler(BodyHandler.create(false).setBodyLimit(MAX_REQUEST_BYTES))
        .handler(this::execute);
  }

  private void execute(RoutingContext routing) {
    onReceived.accept(routing);
    if (inWork.get() >= MAX_IN_WORK) {
      refused.refuse(routing, 503, Reason.BUSY, MAX_IN_WORK + " requests for JMX are in work");
      return;
    }
    inWork.incrementAndGet();
    executor
        .executeBlocking(
            () -> routing.response().closed() ? "" : respond(routing.request(), body(routing)),
            false)
        .onComplete(done -> inWork.decrementAndGet())
        .onSuccess(response -> end(routing, response))
        .onFailure(routing::fail);
  }

  private void admit(RoutingContext routing) {
    HttpServerRequest request = routing.request();
    if (isTokenRequired && !isAuthorized(request.getHeader(HttpHeaders.AUTHORIZATION))) {
      routing.response().putHeader("WWW-Authenticate", "Bearer");
      refused.refuse(
          routing,
          401,
          Reason.TOKEN,
          "the token of management.token is required, as Bearer token or password");
    } else if (request.method().equals(HttpMethod.GET)
        && isPath(routing)
        && READ_PATH.matcher(remainingPath(request)).matches()
        && !request.params().contains(ConfigKey.PATH_QUERY_PARAM.getKeyValue())) {
      routing.next();
    } else if (!request.method().equals(HttpMethod.POST) || !isPath(routing)) {
      refused.refuse(
          routing,
          405,
          Reason.METHOD,
          "GET supports read, list, search and version only; send other requests as JSON by POST");
    } else if (!JSON_TYPE
        .matcher(String.valueOf(request.getHeader(HttpHeaders.CONTENT_TYPE)))
        .matches()) {
      refused.refuse(
          routing, 415, Reason.CONTENT_TYPE, "a POST must have Content-Type: application/json");
    } else {
      routing.next();
    }
  }

  /** The token as Bearer token, or as the password of any user. */
  private boolean isAuthorized(@Nullable String authorization) {
    String[] parts = String.valueOf(authorization).split(" ", 2);
    if (parts.length < 2) {
      return false;
    }
    if (parts[0].equalsIgnoreCase("Bearer")) {
      return isToken(parts[1]);
    }
    try {
      String login = new String(Base64.getDecoder().decode(parts[1]), StandardCharsets.UTF_8);
      return parts[0].equalsIgnoreCase("Basic") && isToken(login.substring(login.indexOf(':') + 1));
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private boolean isToken(String text) {
    return MessageDigest.isEqual(
        text.strip().getBytes(StandardCharsets.UTF_8),
        token.reveal().getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] body(RoutingContext routing) {
    return routing.body().buffer() == null ? new byte[0] : routing.body().buffer().getBytes();
  }

  private static String remainingPath(HttpServerRequest request) {
    return request.path().substring(PATH.length());
  }

  private String respond(HttpServerRequest request, byte[] body) {
    Map<String, String[]> parameters = parameters(request.params());
    if (request.method().equals(HttpMethod.GET)) {
      return run(() -> handler.handleGetRequest(PATH, remainingPath(request), parameters));
    }
    JsonNode message;
    try {
      message = JSON.readTree(body);
    } catch (IOException e) {
      return invalid("The body is not JSON");
    }
    if (!message.isArray()) {
      return respond(message, parameters);
    }
    if (message.size() > MAX_BULK_REQUESTS) {
      return invalid("More than " + MAX_BULK_REQUESTS + " requests at once");
    }
    StringBuilder responses = new StringBuilder("[");
    for (JsonNode element : message) {
      responses.append(responses.length() == 1 ? "" : ",").append(respond(element, parameters));
      if (responses.length() > MAX_RESPONSE_CHARACTERS) {
        return invalid("The responses are too large; send fewer requests at once");
      }
    }
    return responses.append(']').toString();
  }

  private String respond(JsonNode message, Map<String, String[]> parameters) {
    if (!message.isObject()) {
      return invalid("A request must be a JSON object");
    }
    if (message.has("target")) {
      return invalid("target is not supported: requests are for this server");
    }
    if (!access.isTypeAllowed(message)) {
      return forbidden("Requests of this type are not allowed; see docs/jmx.md");
    }
    if (!access.isValueAllowed(message)) {
      return forbidden("This value is not allowed; see docs/tracing.md");
    }
    // one at a time: Jolokia would hold the responses to all
    return run(
        () ->
            handler.handlePostRequest(
                PATH,
                new ByteArrayInputStream(JSON.writeValueAsBytes(message)),
                StandardCharsets.UTF_8.name(),
                parameters));
  }

  private String invalid(String problem) {
    return run(
        () -> {
          throw new BadRequestException(problem);
        });
  }

  private String forbidden(String problem) {
    return run(
        () -> {
          throw new SecurityException(problem);
        });
  }

  private String run(JolokiaRequest request) {
    JSONStructure response;
    try {
      response = request.execute();
    } catch (Exception e) {
      response = handler.handleThrowable(e);
    }
    if (response instanceof JSONObject object && object.get(ERROR) instanceof String error) {
      object.put(ERROR, sentence(error));
    }
    return ESCAPE.matcher(response.toJSONString()).replaceAll(JolokiaHandler::validEscape);
  }

  /** Jolokia repeats the request if a value cannot be converted. */
  private static String sentence(String error) {
    return error.startsWith("Can't process ")
        ? "An argument or value has another type than its parameter; see docs/jmx.md"
        : LogText.escape(error, LogText.MAX_DETAIL_LENGTH);
  }

  private static String validEscape(MatchResult escape) {
    String lastDigit = escape.group(2);
    return lastDigit == null
        ? Matcher.quoteReplacement(escape.group())
        : "\\\\u00" + escape.group(1) + Integer.toHexString(lastDigit.charAt(0) - '0');
  }

  /** One request to Jolokia. */
  @FunctionalInterface
  private interface JolokiaRequest {
    JSONStructure execute() throws Exception;
  }

  private static Map<String, String[]> parameters(MultiMap parameters) {
    Map<String, String[]> values = new HashMap<>();
    for (String name : parameters.names()) {
      List<String> all = parameters.getAll(name);
      values.put(name, all.toArray(String[]::new));
    }
    return values;
  }

  private static void end(RoutingContext routing, String response) {
    if (!routing.response().ended() && !routing.response().closed()) {
      routing
          .response()
          .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
          .putHeader("X-Content-Type-Options", "nosniff")
          .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
          .end(response);
    }
  }

  @Override
  public void close() {
    executor.close();
    services.stop();
  }

  /** Jolokia's log lines, which may contain values of requests: at DEBUG. */
  private static final class JolokiaLog implements LogHandler {

    @Override
    public void debug(String message) {
      LOG.trace("{}", message);
    }

    @Override
    public void info(String message) {
      LOG.debug("{}", message);
    }

    @Override
    public void error(String message, Throwable error) {
      LOG.debug("{}", message, error);
    }

    @Override
    public boolean isDebug() {
      return false;
    }
  }
}
