// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.StringReader;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** Camel's XML of a masked dump; {@code TracersIT} dumps those of calls. */
class TraceXmlTest {

  @Test
  void encodesEveryText() throws Exception {
    String hostile = "</header>&amp;\"' ]]> \ufffe\uffff";
    ObjectNode dump = new ObjectMapper().createObjectNode();
    ObjectNode trace = dump.putArray("traces").addObject().put("uid", 7).put("routeId", hostile);
    ObjectNode message = trace.putObject("message").put("exchangeId", hostile);
    message.putArray("headers").addObject().put("key", hostile).put("value", hostile);
    message.putObject("body").put("type", "String").put("value", hostile);
    trace.putObject("exception").put("message", hostile).put("stackTrace", hostile);

    Element root =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(TraceXml.of(dump))))
            .getDocumentElement();

    String expected = "</header>&amp;\"' ]]> \\ufffe\\uffff";
    assertThat(text(root, "uid")).isEqualTo("7");
    for (String element : new String[] {"routeId", "toNode", "header", "body", "exception"}) {
      assertThat(text(root, element)).as(element).isEqualTo(expected);
    }
    assertThat(element(root, "header").getAttribute("key")).isEqualTo(expected);
    assertThat(element(root, "message").getAttribute("exchangeId")).isEqualTo(expected);
  }

  @Test
  void dumpWithoutMessagesIsEmpty() {
    assertThat(TraceXml.of(new ObjectMapper().createObjectNode()))
        .isEqualTo("<backlogTracerEventMessages>\n</backlogTracerEventMessages>");
  }

  private static String text(Element root, String name) {
    return element(root, name).getTextContent();
  }

  private static Element element(Element root, String name) {
    return (Element) root.getElementsByTagName(name).item(0);
  }
}
