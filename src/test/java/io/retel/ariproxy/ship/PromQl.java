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
 * What the dashboard or an alert asks Prometheus.
 *
 * @param where the panel's title or the alert's name
 * @param text with Grafana's variables in it, if it is a panel's
 */
record PromQl(String where, String text) {

  static final Path DASHBOARD = Path.of("docker", "grafana", "dashboards", "ari-proxy.json");
  static final Path ALERTS = Path.of("docker", "prometheus", "alerts.yml");

  private static final Pattern STRINGS = Pattern.compile("\"[^\"]*\"");
  private static final Pattern METRIC =
      Pattern.compile("\\b(?:ari_proxy|backing_service|jvm|process|system|logback)_\\w+(?![\\w(])");

  /** Of all panels, annotations and variables. */
  static List<PromQl> ofTheDashboard() {
    JsonNode dashboard = read(new ObjectMapper(), DASHBOARD);
    List<PromQl> all = new ArrayList<>();
    for (JsonNode panel : dashboard.path("panels")) {
      for (JsonNode target : panel.path("targets")) {
        all.add(new PromQl(panel.path("title").asText(), target.path("expr").asText()));
      }
    }
    for (JsonNode annotation : dashboard.at("/annotations/list")) {
      all.add(new PromQl(annotation.path("name").asText(), annotation.path("expr").asText()));
    }
    return all;
  }

  /** Of all alerts. */
  static List<PromQl> ofTheAlerts() {
    List<PromQl> all = new ArrayList<>();
    for (JsonNode alert : alerts()) {
      all.add(new PromQl(alert.path("alert").asText(), alert.path("expr").asText()));
    }
    return all;
  }

  static JsonNode alerts() {
    return read(new YAMLMapper(), ALERTS).at("/groups/0/rules");
  }

  private static JsonNode read(ObjectMapper format, Path file) {
    try {
      return format.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As Grafana would ask. */
  String asked(String rateInterval) {
    return text.replace("$__rate_interval", rateInterval)
        .replace("$__interval", rateInterval)
        .replace("$__range", "5m")
        .replace("$instance", ".*");
  }

  /** The names of the metrics in it. */
  Set<String> metrics() {
    Set<String> names = new TreeSet<>();
    Matcher matcher = METRIC.matcher(STRINGS.matcher(text).replaceAll("\"\""));
    while (matcher.find()) {
      names.add(matcher.group());
    }
    return names;
  }

  @Override
  public String toString() {
    return where + ": " + text;
  }
}
