// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.jmx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import javax.management.StandardMBean;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.CompositeDataSupport;
import javax.management.openmbean.CompositeType;
import javax.management.openmbean.OpenDataException;
import javax.management.openmbean.OpenType;
import javax.management.openmbean.SimpleType;
import javax.management.openmbean.TabularData;
import javax.management.openmbean.TabularDataSupport;
import javax.management.openmbean.TabularType;
import org.junit.jupiter.api.Test;

class EscapingMBeanTest {

  public interface Table {
    TabularData table() throws OpenDataException;
  }

  private static final String[] COLUMNS = {"id"};

  /** A control character, and the text of its escape. */
  @Test
  void returnsTableOfIdsWithTheSameEscape() throws Exception {
    Table bean = () -> table(List.of("\u0007", "\\u0007", "other"));
    TabularData escaped =
        (TabularData)
            new EscapingMBean(new StandardMBean(bean, Table.class)).invoke("table", null, null);
    assertThat(escaped.values().stream().map(row -> ((CompositeData) row).get("id")))
        .containsExactlyInAnyOrder("\\u0007", "other");
  }

  private static TabularData table(List<String> ids) throws OpenDataException {
    CompositeType rowType =
        new CompositeType("row", "row", COLUMNS, COLUMNS, new OpenType<?>[] {SimpleType.STRING});
    TabularData table = new TabularDataSupport(new TabularType("table", "rows", rowType, COLUMNS));
    for (String id : ids) {
      table.put(new CompositeDataSupport(rowType, Map.of("id", id)));
    }
    return table;
  }
}
