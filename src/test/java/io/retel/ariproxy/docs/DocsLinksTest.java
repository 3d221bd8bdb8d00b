// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.retel.ariproxy.fixtures.docs.MarkdownPage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Checks the links between pages: files and anchors. External links are not checked. */
class DocsLinksTest {

  static Stream<Arguments> links() {
    return MarkdownPage.all().stream()
        .flatMap(
            page ->
                page.links().stream()
                    .filter(link -> !link.matches("(https?|mailto):.*"))
                    .distinct()
                    .map(link -> Arguments.of(page.file().toString(), link)));
  }

  @ParameterizedTest
  @MethodSource("links")
  void linkResolves(String page, String link) {
    String[] target = link.split("#", 2);
    Path file =
        target[0].isEmpty() ? Path.of(page) : Path.of(page).resolveSibling(target[0]).normalize();
    assertThat(file).exists();
    if (target.length > 1) {
      assertThat(MarkdownPage.read(file.toString()).anchors()).contains(target[1]);
    }
  }

  @Test
  void everyPageIsReachableFromReadme() {
    List<Path> pages =
        MarkdownPage.all().stream()
            .map(MarkdownPage::file)
            .filter(file -> file.startsWith("docs") && !file.startsWith("docs/decisions"))
            .toList();
    List<Path> linked =
        MarkdownPage.all().stream()
            .flatMap(
                page ->
                    page.links().stream()
                        .map(link -> link.split("#", 2)[0])
                        .filter(link -> !link.isEmpty() && !link.contains(":"))
                        .map(link -> page.file().resolveSibling(link).normalize())
                        .filter(Files::exists))
            .toList();
    assertThat(linked).containsAll(pages);
  }
}
