// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.callcontext.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.datastax.oss.protocol.internal.Compressor;
import com.datastax.oss.protocol.internal.FrameCodec;
import com.datastax.oss.protocol.internal.Message;
import com.datastax.oss.protocol.internal.ProtocolV4ClientCodecs;
import com.datastax.oss.protocol.internal.response.result.Rows;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.retel.ariproxy.config.Secret;
import io.retel.ariproxy.fixtures.ChildProcess;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CassandraReplyCodecTest {

  private static final int ROWS = 2;
  private static final int GLOBAL_TABLE = 1;
  private static final int NO_METADATA = 4;
  private static final int HUGE = 0x7ffffff0;

  private final ReplyLimit limit = new ReplyLimit(1_000_000);

  static Stream<Arguments> hugeResults() {
    return Stream.of(
        Arguments.of("rows", ints(ROWS, NO_METADATA, 1, HUGE)),
        Arguments.of("columns", ints(ROWS, GLOBAL_TABLE, HUGE, 0)),
        Arguments.of("bytes of a value", ints(ROWS, NO_METADATA, 1, 1, HUGE)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hugeResults")
  void rejectsMoreThanIsSent(String what, byte[] result) {
    assertThatThrownBy(() -> decode(result)).hasMessageStartingWith("Cassandra ");
  }

  @Test
  void rejectsRowsWithoutColumns() {
    // as many bytes as rows follow
    byte[] result = new byte[16 + 200_000];
    ByteBuffer.wrap(result).putInt(ROWS).putInt(NO_METADATA).putInt(0).putInt(200_000);
    assertThatThrownBy(() -> decode(result)).hasMessageStartingWith("Cassandra ");
  }

  /** Each empty value takes more heap than bytes of the reply. */
  @Test
  void rejectsTooManyEmptyValues() {
    int rows = 40;
    int columns = 1_000;
    byte[] result = new byte[16 + 4 * rows * columns];
    ByteBuffer.wrap(result).putInt(ROWS).putInt(NO_METADATA).putInt(columns).putInt(rows);
    assertThatThrownBy(() -> decode(result)).hasMessageStartingWith("Cassandra ");
    assertThat(limit.isExceeded()).isTrue();
  }

  @Test
  void decodesLongValues() {
    byte[] value = new byte[300_000];
    byte[] head = ints(ROWS, NO_METADATA, 2, 1, -1, value.length);
    byte[] result = ByteBuffer.allocate(head.length + value.length).put(head).put(value).array();
    Rows rows = (Rows) decode(result);
    assertThat(rows.getData())
        .singleElement()
        .satisfies(
            row -> {
              assertThat(row.get(0)).isNull();
              assertThat(row.get(1)).isEqualTo(ByteBuffer.wrap(value));
            });
  }

  private Message decode(byte[] result) {
    ByteBuf frame =
        Unpooled.buffer()
            .writeByte(FakeServer.RESPONSE | FakeServer.VERSION)
            .writeByte(0)
            .writeShort(1)
            .writeBytes(FakeServer.frame(FakeServer.RESULT, result).array());
    return new FrameCodec<>(
            new CassandraReplyCodec(UnpooledByteBufAllocator.DEFAULT, limit),
            Compressor.none(),
            new ProtocolV4ClientCodecs())
        .decode(frame)
        .message;
  }

  /** In another process, since a library catches the error. */
  @Test
  void hugeResultsDoNotEndProcess() throws Exception {
    List<FakeServer> servers = new ArrayList<>();
    try {
      for (Arguments each : hugeResults().toList()) {
        servers.add(new FakeServer((byte[]) each.get()[1]));
      }
      List<String> command =
          new ArrayList<>(
              List.of(
                  "-XX:+ExitOnOutOfMemoryError",
                  "-Xmx128m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Client.class.getName()));
      servers.forEach(server -> command.add(Integer.toString(server.port())));
      Process client =
          ChildProcess.builder(ChildProcess.javaCommand(command.toArray(String[]::new)))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      assertThat(client.waitFor()).isEqualTo(Client.NO_FAILURE + servers.size());
    } finally {
      for (FakeServer server : servers) {
        server.close();
      }
    }
  }

  /** Process that reads a store from each port; its exit code counts the failures. */
  static final class Client {

    /** Unlike the exit code after an OutOfMemoryError. */
    static final int NO_FAILURE = 10;

    private Client() {}

    public static void main(String[] ports) throws Exception {
      int failures = NO_FAILURE;
      for (String port : ports) {
        try (CallContextStore store =
            new CassandraStore(
                "127.0.0.1:" + port,
                "datacenter1",
                "ari_proxy",
                "",
                new Secret(""),
                Optional.empty(),
                "asterisk",
                "app",
                Duration.ofHours(1),
                DefaultTimeout.DURATION)) {
          store.readAll((key, value) -> {});
        } catch (IOException e) {
          failures++;
        }
      }
      System.exit(failures);
    }
  }

  private static byte[] ints(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
    for (int value : values) {
      bytes.putInt(value);
    }
    return bytes.array();
  }

  /** Accepts any login of protocol version 4, and sends the same result of each query. */
  private static final class FakeServer implements AutoCloseable {

    private static final int VERSION = 4;
    private static final int RESPONSE = 0x80;
    private static final int PROTOCOL_ERROR = 0x0A;

    private static final int ERROR = 0;
    private static final int STARTUP = 1;
    private static final int READY = 2;
    private static final int OPTIONS = 5;
    private static final int SUPPORTED = 6;
    private static final int RESULT = 8;

    private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final byte[] result;

    FakeServer(byte[] result) throws IOException {
      this.result = result;
      start(this::accept);
    }

    int port() {
      return socket.getLocalPort();
    }

    private static void start(Runnable task) {
      Thread thread = new Thread(task);
      thread.setDaemon(true);
      thread.start();
    }

    private void accept() {
      while (!socket.isClosed()) {
        try {
          Socket client = socket.accept();
          start(() -> serve(client));
        } catch (IOException e) {
          // the test has closed the socket
        }
      }
    }

    private void serve(Socket client) {
      try (client) {
        DataInputStream requests = new DataInputStream(client.getInputStream());
        while (true) {
          int version = requests.readUnsignedByte();
          requests.readUnsignedByte();
          short stream = requests.readShort();
          int operation = requests.readUnsignedByte();
          requests.readNBytes(requests.readInt());
          ByteBuffer response = respond(version, operation);
          DataOutputStream out = new DataOutputStream(client.getOutputStream());
          out.writeByte(RESPONSE | VERSION);
          out.writeByte(0);
          out.writeShort(stream);
          out.write(response.array());
          out.flush();
        }
      } catch (IOException e) {
        // the client has closed the connection
      }
    }

    private ByteBuffer respond(int version, int operation) {
      if (version != VERSION) {
        byte[] text = "Invalid or unsupported protocol version".getBytes(StandardCharsets.UTF_8);
        return frame(
            ERROR,
            ByteBuffer.allocate(6 + text.length)
                .putInt(PROTOCOL_ERROR)
                .putShort((short) text.length)
                .put(text)
                .array());
      }
      return switch (operation) {
        case OPTIONS -> frame(SUPPORTED, new byte[2]);
        case STARTUP -> frame(READY, new byte[0]);
        default -> frame(RESULT, result);
      };
    }

    private static ByteBuffer frame(int operation, byte[] body) {
      return ByteBuffer.allocate(5 + body.length)
          .put((byte) operation)
          .putInt(body.length)
          .put(body);
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }
}
