// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.route;

import java.util.ArrayList;
import java.util.List;
import org.apache.camel.CamelContext;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.dsl.yaml.YamlRoutesBuilderLoader;
import org.apache.camel.dsl.yaml.common.YamlDeserializationContext;
import org.apache.camel.dsl.yaml.common.YamlDeserializerSupport;
import org.apache.camel.model.BeanFactoryDefinition;
import org.apache.camel.support.ResourceHelper;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Camel's loader of YAML, for one use, which creates no beans. Camel's own creates those of a file
 * whenever it configures a builder, and skips them if the previous time has failed.
 */
final class RouteFileLoader extends YamlRoutesBuilderLoader {

  private final List<BeanFactoryDefinition<?>> beans;

  private RouteFileLoader(List<BeanFactoryDefinition<?>> beans) {
    this.beans = beans;
  }

  /**
   * Parses a content.
   *
   * @throws Exception if it is not YAML, or a bean has an unknown property
   */
  static Content load(CamelContext context, String location, byte[] content) throws Exception {
    List<BeanFactoryDefinition<?>> beans = new ArrayList<>();
    RouteFileLoader loader = new RouteFileLoader(beans);
    loader.setCamelContext(context);
    loader.start();
    RouteConfigurationBuilder routes =
        (RouteConfigurationBuilder)
            loader.loadRoutesBuilder(ResourceHelper.fromBytes(location, content));
    return new Content(routes, List.copyOf(beans));
  }

  @Override
  protected RouteBuilder builder(YamlDeserializationContext yaml, Node root) {
    if (root instanceof SequenceNode elements) {
      List<Node> lists = elements.getValue().stream().filter(RouteFileLoader::isBeans).toList();
      YamlDeserializerSupport.setDeserializationContext(root, yaml);
      for (Node list : lists) {
        // validates their definitions
        yaml.mandatoryResolve(list).construct(list);
        addBeans(((MappingNode) list).getValue().get(0).getValueNode(), yaml);
      }
      elements.getValue().removeAll(lists);
    }
    return super.builder(yaml, root);
  }

  private void addBeans(Node list, YamlDeserializationContext yaml) {
    for (Node node : YamlDeserializerSupport.asSequenceNode(list).getValue()) {
      YamlDeserializerSupport.setDeserializationContext(node, yaml);
      BeanFactoryDefinition<?> bean =
          YamlDeserializerSupport.asType(node, BeanFactoryDefinition.class);
      bean.setResource(yaml.getResource());
      if (!bean.getType().startsWith("#")) {
        bean.setType("#class:" + bean.getType());
      }
      beans.add(bean);
    }
  }

  private static boolean isBeans(Node element) {
    return element instanceof MappingNode mapping
        && mapping.getValue().size() == 1
        && mapping.getValue().get(0).getKeyNode() instanceof ScalarNode key
        && key.getValue().equals(RouteFiles.BEANS);
  }

  /**
   * Routes and beans of a content.
   *
   * @param routes builds the routes
   * @param beans the definitions of the beans
   */
  record Content(RouteConfigurationBuilder routes, List<BeanFactoryDefinition<?>> beans) {}
}
