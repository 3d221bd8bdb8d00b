// SPDX-License-Identifier: Apache-2.0

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Writes the shipped libraries into an empty folder: {@code java Libraries.java FOLDER CLASS-PATH}.
 *
 * <p>Four libraries (SQLite, zstd, snappy, lz4) contain native code for up to 24 systems. Only that
 * of Linux on x86-64 and ARM64 is shipped, with glibc or musl. Everything else has the bytes of its
 * source, in the same order and with the same times, so that each build makes the same jar.
 */
final class Libraries {

  private static final Pattern NATIVE = Pattern.compile(".*\\.(so|dll|dylib|jnilib|a)");

  private static final Pattern SHIPPED =
      Pattern.compile("(.*/)?[Ll]inux(-Musl)?/(x86_64|amd64|aarch64)/[^/]+\\.so");

  private Libraries() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Files.createDirectories(Path.of(arguments[0]));
    try (var old = Files.newDirectoryStream(folder, "*.jar")) {
      for (Path jar : old) {
        Files.delete(jar);
      }
    }
    for (String element : arguments[1].split(File.pathSeparator)) {
      Path jar = Path.of(element);
      // the other element is the folder of the proxy's classes
      if (Files.isRegularFile(jar)) {
        ship(jar, folder.resolve(jar.getFileName()));
      }
    }
  }

  private static void ship(Path library, Path target) throws IOException {
    try (ZipFile source = new ZipFile(library.toFile())) {
      if (source.stream().allMatch(Libraries::isShipped)) {
        Files.copy(library, target);
        return;
      }
      if (source.stream().anyMatch(entry -> entry.getName().matches("META-INF/[^/]+\\.SF"))) {
        throw new IOException(library + " is signed: its content cannot change");
      }
      try (ZipOutputStream jar = new ZipOutputStream(Files.newOutputStream(target))) {
        jar.setLevel(9);
        for (Enumeration<? extends ZipEntry> all = source.entries(); all.hasMoreElements(); ) {
          ZipEntry entry = all.nextElement();
          if (isShipped(entry)) {
            ZipEntry copy = new ZipEntry(entry);
            if (entry.getMethod() == ZipEntry.DEFLATED) {
              // of another compressor
              copy.setCompressedSize(-1);
            }
            jar.putNextEntry(copy);
            source.getInputStream(entry).transferTo(jar);
            jar.closeEntry();
          }
        }
      }
    }
  }

  private static boolean isShipped(ZipEntry entry) {
    return !NATIVE.matcher(entry.getName()).matches() || SHIPPED.matcher(entry.getName()).matches();
  }
}
