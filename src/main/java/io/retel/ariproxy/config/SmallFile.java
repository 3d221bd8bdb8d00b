// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.config;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Reads whole files that others may write, within a limit: a device has no end. */
public final class SmallFile {

  private SmallFile() {}

  /** Not a regular file, or larger than the limit. */
  public static final class UnsuitableFileException extends IOException {

    private static final long serialVersionUID = 1L;

    /**
     * @param problem completes a sentence that begins with the file
     */
    UnsuitableFileException(String problem) {
      super(problem);
    }
  }

  /**
   * Returns the content of a regular file. Does not open others: opening a pipe waits for a writer.
   *
   * @throws UnsuitableFileException if it is larger, not a regular file, or cannot be read in time,
   *     such as a pipe that has replaced it after the check
   */
  public static byte[] readRegular(Path file, int maxBytes) throws IOException {
    return readRegular(file, maxBytes, TimedRead.TIMEOUT);
  }

  static byte[] readRegular(Path file, int maxBytes, Duration timeout) throws IOException {
    checkRegular(file);
    return TimedRead.get(() -> read(file, maxBytes), timeout);
  }

  /**
   * Returns the content of a file or pipe in UTF-8.
   *
   * @throws UnsuitableFileException if it is larger, or cannot be read in time, such as a pipe
   *     without a writer
   * @throws CharacterCodingException if it is not UTF-8
   */
  public static String readText(Path file, int maxBytes) throws IOException {
    return readText(file, maxBytes, TimedRead.TIMEOUT);
  }

  static String readText(Path file, int maxBytes, Duration timeout) throws IOException {
    byte[] content = TimedRead.get(() -> read(file, maxBytes), timeout);
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
  }

  /**
   * Returns the content of a file or pipe, however long that takes.
   *
   * @throws UnsuitableFileException if it is larger
   */
  public static byte[] read(Path file, int maxBytes) throws IOException {
    try (InputStream stream = Files.newInputStream(file)) {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      byte[] part = new byte[8_192];
      // not readNBytes: on Java 21, it asks for the position, which a pipe does not have
      for (int read = stream.read(part); read >= 0; read = stream.read(part)) {
        content.write(part, 0, read);
        if (content.size() > maxBytes) {
          throw new UnsuitableFileException("is larger than " + (maxBytes >> 10) + " KB");
        }
      }
      return content.toByteArray();
    }
  }

  /** Accepts a file that does not exist. */
  static void checkRegular(Path file) throws UnsuitableFileException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new UnsuitableFileException("is not a regular file");
    }
  }
}
