// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A PromQL query of the dashboard or of an alert.
 *
 * @param source the panel's title or the alert's name
 * @param expression of a panel, with Grafana's variables
 */
record PromQlQuery(String source, String expression) {

  static final Path DASHBOARD = Path.of("docker", "grafana", "dashboards", "ari-proxy.json");
  static final Path ALERTS = Path.of("docker", "prometheus", "alerts.yml");

  private static final Pattern STRING_LITERAL = Pattern.compile("\"[^\"]*\"");
  private static final Pattern METRIC_NAME =
      Pattern.compile("\\b(?:ari_proxy|backing_service|jvm|process|system|logback)_\\w+(?![\\w(])");

  /** Returns the queries of all panels and annotations. */
  static List<PromQlQuery> dashboardQueries() {
    JsonNode dashboard = read(new ObjectMapper(), DASHBOARD);
    List<PromQlQuery> all = new ArrayList<>();
    for (JsonNode panel : dashboard.path("panels")) {
      for (JsonNode target : panel.path("targets")) {
        all.add(new PromQlQuery(panel.path("title").asText(), target.path("expr").asText()));
      }
    }
    for (JsonNode annotation : dashboard.at("/annotations/list")) {
      all.add(new PromQlQuery(annotation.path("name").asText(), annotation.path("expr").asText()));
    }
    return all;
  }

  /** Returns the queries of all alerts. */
  static List<PromQlQuery> alertQueries() {
    List<PromQlQuery> all = new ArrayList<>();
    for (JsonNode alert : alertRules()) {
      all.add(new PromQlQuery(alert.path("alert").asText(), alert.path("expr").asText()));
    }
    return all;
  }

  static JsonNode alertRules() {
    return read(new YAMLMapper(), ALERTS).at("/groups/0/rules");
  }

  private static JsonNode read(ObjectMapper format, Path file) {
    try {
      return format.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Replaces Grafana's variables, as Grafana does before it sends the query. */
  String expand(String rateInterval) {
    return expression
        .replace("$__rate_interval", rateInterval)
        .replace("$__interval", rateInterval)
        .replace("$__range", "5m")
        .replace("$instance", ".*");
  }

  /** Returns the metric names in the expression. */
  Set<String> metricNames() {
    Set<String> names = new TreeSet<>();
    Matcher matcher = METRIC_NAME.matcher(STRING_LITERAL.matcher(expression).replaceAll("\"\""));
    while (matcher.find()) {
      names.add(matcher.group());
    }
    return names;
  }

  /** Returns the names of the proxy's own metrics in all queries. */
  static Set<String> proxyMetricNames(List<PromQlQuery> queries) {
    Set<String> names = new TreeSet<>();
    queries.forEach(query -> names.addAll(query.metricNames()));
    names.removeIf(name -> !name.startsWith("ari_proxy_") && !name.startsWith("backing_service_"));
    return names;
  }

  @Override
  public String toString() {
    return source + ": " + expression;
  }
}
