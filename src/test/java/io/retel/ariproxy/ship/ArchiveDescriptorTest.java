// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The modes in the tar.gz do not depend on the umask of the build. */
class ArchiveDescriptorTest {

  static List<Element> sets() throws Exception {
    Element root =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(Path.of("packaging", "tar-gz.xml").toFile())
            .getDocumentElement();
    return IntStream.range(0, root.getElementsByTagName("outputDirectory").getLength())
        .mapToObj(
            i -> (Element) root.getElementsByTagName("outputDirectory").item(i).getParentNode())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("sets")
  void everyPartStatesTheModesOfFilesAndDirectories(Element set) {
    assertThat(text(set, "fileMode")).isIn("0644", "0755");
    assertThat(text(set, "directoryMode")).isEqualTo("0755");
  }

  private static String text(Element set, String name) {
    NodeList found = set.getElementsByTagName(name);
    return found.getLength() == 0 ? "" : found.item(0).getTextContent();
  }
}
