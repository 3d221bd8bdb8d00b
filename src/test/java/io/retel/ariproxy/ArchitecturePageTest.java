// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/architecture.md shows the floors that {@link ArchitectureTest} enforces. */
class ArchitecturePageTest {

  private static final Pattern FLOOR =
      Pattern.compile("(?m)^\\| \\d \\| (root|`\\w+`(?:, `\\w+`)*) \\|");
  private static final Pattern PACKAGE = Pattern.compile("`(\\w+)`");

  @Test
  void tableListsEnforcedFloors() throws IOException {
    List<List<String>> floors = new ArrayList<>();
    for (MatchResult row :
        FLOOR.matcher(Files.readString(Path.of("docs", "architecture.md"))).results().toList()) {
      floors.add(
          row.group(1).equals("root")
              ? List.of("")
              : PACKAGE.matcher(row.group(1)).results().map(name -> name.group(1)).toList());
    }
    Collections.reverse(floors);
    assertThat(floors).isEqualTo(ArchitectureTest.FLOORS);
  }
}
