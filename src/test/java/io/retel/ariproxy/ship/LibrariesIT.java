// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ship;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The libraries of the tar.gz, which {@code packaging/Libraries.java} reduces. */
class LibrariesIT {

  /** Above these sizes, docs/deploy.md#size is outdated: find out which library has grown. */
  private static final long MAX_LIBRARIES = 58_000_000;

  private static final long MAX_ARCHIVE = 55_000_000;
  private static final long MAX_PACKAGE = 55_000_000;

  private static final Pattern NATIVE = Pattern.compile(".*\\.(so|dll|dylib|jnilib|a)");

  @TempDir private static Path folder;
  private static List<Path> libraries;

  @BeforeAll
  static void unpack() throws IOException {
    try (Stream<Path> files = Files.list(Distribution.unpack(folder).file("lib"))) {
      libraries = files.sorted().toList();
    }
  }

  @Test
  void distributionIsSmall() throws IOException {
    long size = 0;
    for (Path library : libraries) {
      size += Files.size(library);
    }
    assertThat(size).isLessThan(MAX_LIBRARIES);
    assertThat(Files.size(Distribution.archive())).isLessThan(MAX_ARCHIVE);
    assertThat(Files.size(Distribution.debianPackage())).isLessThan(MAX_PACKAGE);
  }

  @Test
  void containNativeCodeOfSupportedMachines() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path library : libraries) {
      contentOf(library).keySet().stream()
          .filter(name -> NATIVE.matcher(name).matches())
          .map(name -> library.getFileName().toString().replaceAll("-[\\d.-]*jar", "") + " " + name)
          // a version
          .map(name -> name.replaceAll("-[\\d.-]*so", ".so"))
          .forEach(found::add);
    }
    assertThat(found)
        .containsExactlyInAnyOrder(
            "lz4-java net/jpountz/util/linux/aarch64/liblz4-java.so",
            "lz4-java net/jpountz/util/linux/amd64/liblz4-java.so",
            "snappy-java org/xerial/snappy/native/Linux/aarch64/libsnappyjava.so",
            "snappy-java org/xerial/snappy/native/Linux/x86_64/libsnappyjava.so",
            "sqlite-jdbc org/sqlite/native/Linux-Musl/aarch64/libsqlitejdbc.so",
            "sqlite-jdbc org/sqlite/native/Linux-Musl/x86_64/libsqlitejdbc.so",
            "sqlite-jdbc org/sqlite/native/Linux/aarch64/libsqlitejdbc.so",
            "sqlite-jdbc org/sqlite/native/Linux/x86_64/libsqlitejdbc.so",
            "zstd-jni linux/aarch64/libzstd-jni.so",
            "zstd-jni linux/amd64/libzstd-jni.so");
  }

  @Test
  void nativeCodeOfThisMachineLoads() throws Exception {
    byte[] text = "a text ".repeat(100).getBytes(StandardCharsets.UTF_8);
    try (URLClassLoader shipped =
        new URLClassLoader(urls(libraries), ClassLoader.getPlatformClassLoader())) {
      Class<?> zstd = shipped.loadClass("com.github.luben.zstd.Zstd");
      Object compressed = zstd.getMethod("compress", byte[].class).invoke(null, text);
      assertThat(
              zstd.getMethod("decompress", byte[].class, int.class)
                  .invoke(null, compressed, text.length))
          .isEqualTo(text);

      Class<?> snappy = shipped.loadClass("org.xerial.snappy.Snappy");
      compressed = snappy.getMethod("compress", byte[].class).invoke(null, text);
      assertThat(snappy.getMethod("uncompress", byte[].class).invoke(null, compressed))
          .isEqualTo(text);

      // not the Java implementation, which other machines use
      Class<?> lz4 = shipped.loadClass("net.jpountz.lz4.LZ4Factory");
      assertThat(lz4.getMethod("nativeInstance").invoke(null)).hasToString("LZ4Factory:JNI");

      Class<?> sqlite = shipped.loadClass("org.sqlite.JDBC");
      try (Connection database =
          ((Driver) sqlite.getConstructor().newInstance())
              .connect("jdbc:sqlite::memory:", new Properties())) {
        assertThat(database.createStatement().executeQuery("SELECT 6 * 7").getInt(1)).isEqualTo(42);
      }
    }
  }

  /** Those of Maven Central, except for the native code of other machines. */
  @Test
  void areOriginals() throws IOException {
    Map<String, Path> originals = originals();
    List<String> reduced = new ArrayList<>();
    for (Path library : libraries) {
      Path original = originals.get(library.getFileName().toString());
      if (Files.mismatch(library, original) >= 0) {
        reduced.add(library.getFileName().toString());
        Map<String, String> content = contentOf(original);
        Map<String, String> shipped = contentOf(library);
        content
            .keySet()
            .removeIf(name -> NATIVE.matcher(name).matches() && !shipped.containsKey(name));
        assertThat(shipped).as(library.toString()).isEqualTo(content);
      }
    }
    assertThat(reduced)
        .extracting(name -> name.replaceAll("-[\\d.-]*jar", ""))
        .containsExactly("lz4-java", "snappy-java", "sqlite-jdbc", "zstd-jni");
  }

  /** Jars contain local times. */
  @Test
  void haveSameBytesInEveryTimeZone(@TempDir Path other) throws IOException {
    String classPath =
        originals().values().stream().map(Path::toString).collect(Collectors.joining(":"));
    for (String zone : List.of("Pacific/Auckland", "America/New_York")) {
      Distribution.run(
          Map.of("TZ", zone),
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "packaging/Libraries.java",
          other.toString(),
          classPath);
      for (Path library : libraries) {
        assertThat(other.resolve(library.getFileName())).hasSameBinaryContentAs(library);
      }
    }
  }

  private static Map<String, Path> originals() {
    Map<String, Path> originals = new HashMap<>();
    for (String element : System.getProperty("java.class.path").split(File.pathSeparator)) {
      Path original = Path.of(element);
      if (libraries.stream()
          .anyMatch(library -> library.getFileName().equals(original.getFileName()))) {
        originals.put(original.getFileName().toString(), original);
      }
    }
    return originals;
  }

  /** Returns time and checksum of each entry. */
  private static Map<String, String> contentOf(Path jar) throws IOException {
    try (ZipFile file = new ZipFile(jar.toFile())) {
      return file.stream()
          .collect(
              Collectors.toMap(
                  entry -> entry.getName(),
                  entry -> entry.getTimeLocal() + " " + entry.getCrc(),
                  (first, second) -> first + ", " + second));
    }
  }

  private static URL[] urls(List<Path> files) throws MalformedURLException {
    URL[] urls = new URL[files.size()];
    for (int i = 0; i < urls.length; i++) {
      urls[i] = files.get(i).toUri().toURL();
    }
    return urls;
  }
}
