// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.dsl.yaml.YamlRoutesBuilderLoader;
import org.apache.camel.dsl.yaml.common.YamlDeserializationContext;
import org.apache.camel.dsl.yaml.common.YamlDeserializerSupport;
import org.apache.camel.support.ResourceHelper;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Camel's loader of YAML, for one use. Camel shares a loader, which creates the beans of a file
 * whenever it configures a builder, and skips them if the previous time has failed.
 */
final class RouteFileLoader extends YamlRoutesBuilderLoader {

  private final boolean createsBeans;

  private RouteFileLoader(boolean createsBeans) {
    this.createsBeans = createsBeans;
  }

  /**
   * Returns the builder of a content, which creates no beans.
   *
   * @throws Exception if it is not YAML, or a bean has an unknown property
   */
  static RouteConfigurationBuilder inspect(CamelContext context, String location, byte[] content)
      throws Exception {
    return load(new RouteFileLoader(false), context, location, content);
  }

  /** Returns the builder of a content, which creates its beans when it builds the routes. */
  static RouteConfigurationBuilder load(CamelContext context, String location, byte[] content)
      throws Exception {
    return load(new RouteFileLoader(true), context, location, content);
  }

  private static RouteConfigurationBuilder load(
      RouteFileLoader loader, CamelContext context, String location, byte[] content)
      throws Exception {
    loader.setCamelContext(context);
    loader.start();
    return (RouteConfigurationBuilder)
        loader.loadRoutesBuilder(ResourceHelper.fromBytes(location, content));
  }

  @Override
  protected RouteBuilder builder(YamlDeserializationContext yaml, Node root) {
    if (!createsBeans && root instanceof SequenceNode elements) {
      List<Node> beans = elements.getValue().stream().filter(RouteFileLoader::isBeans).toList();
      YamlDeserializerSupport.setDeserializationContext(root, yaml);
      // validates their definitions
      beans.forEach(element -> yaml.mandatoryResolve(element).construct(element));
      elements.getValue().removeAll(beans);
    }
    return super.builder(yaml, root);
  }

  private static boolean isBeans(Node element) {
    return element instanceof MappingNode mapping
        && mapping.getValue().size() == 1
        && mapping.getValue().get(0).getKeyNode() instanceof ScalarNode key
        && key.getValue().equals(RouteFiles.BEANS);
  }
}
