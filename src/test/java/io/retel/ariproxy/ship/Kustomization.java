// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A {@code kustomization.yaml} with the fields that this project uses; others are rejected.
 *
 * @param resources files and folders, relative to the file
 */
record Kustomization(
    String apiVersion,
    String kind,
    String namespace,
    List<String> resources,
    List<Image> images,
    List<Replicas> replicas,
    List<ConfigMapGenerator> configMapGenerator,
    List<Patch> patches) {

  Kustomization {
    resources = orEmpty(resources);
    images = orEmpty(images);
    replicas = orEmpty(replicas);
    configMapGenerator = orEmpty(configMapGenerator);
    patches = orEmpty(patches);
  }

  record Image(String name, String newName, String newTag) {}

  record Replicas(String name, int count) {}

  /**
   * @param envs files with variables
   * @param literals variables
   */
  record ConfigMapGenerator(
      String name, String behavior, List<String> envs, List<String> literals) {

    ConfigMapGenerator {
      envs = orEmpty(envs);
      literals = orEmpty(literals);
    }
  }

  /**
   * @param patch YAML of the object
   */
  record Patch(Map<String, String> target, String patch) {

    JsonNode object() throws IOException {
      return new YAMLMapper().readTree(patch);
    }
  }

  static Kustomization read(Path folder) throws IOException {
    return new YAMLMapper()
        .readValue(folder.resolve("kustomization.yaml").toFile(), Kustomization.class);
  }

  /** Returns the paths to which the file refers. */
  Stream<String> references() {
    return Stream.concat(
        resources.stream(),
        configMapGenerator.stream().flatMap(generator -> generator.envs().stream()));
  }

  private static <T> List<T> orEmpty(List<T> list) {
    return Objects.requireNonNullElse(list, List.of());
  }
}
