// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import java.io.File;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a URL of SQLite's driver names: a path, a URI, or a database in memory.
 *
 * @see <a href="https://www.sqlite.org/uri.html">URIs of SQLite</a>
 */
final class SqliteUrl {

  private static final String PREFIX = "jdbc:sqlite:";

  private static final String FILE_URI = "file:";

  private static final Pattern ESCAPES = Pattern.compile("(%[0-9a-fA-F]{2})+");

  /** Of the driver, with options. */
  private final String name;

  SqliteUrl(String url) {
    this.name = url.substring(PREFIX.length());
  }

  /** Returns the file; one without meaning if the database is in memory. */
  File file() {
    String path = name.replaceFirst("\\?.*", "");
    if (!path.startsWith(FILE_URI)) {
      return new File(path);
    }
    // file:/path and file:path, file:///path and file://localhost/path
    path =
        path.substring(FILE_URI.length())
            .replaceFirst("#.*", "")
            .replaceFirst("^//(localhost)?(?=/)", "");
    // SQLite takes other percent signs literally
    return new File(
        ESCAPES
            .matcher(path)
            .replaceAll(
                escapes ->
                    Matcher.quoteReplacement(
                        URLDecoder.decode(escapes.group(), StandardCharsets.UTF_8))));
  }

  boolean isInMemory() {
    return file().getPath().isEmpty()
        || name.startsWith(":")
        || name.startsWith(FILE_URI + ":")
        || name.matches(".*[?&]mode=memory(&.*)?");
  }
}
