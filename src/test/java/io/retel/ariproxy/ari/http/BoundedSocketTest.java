// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.retel.ariproxy.fixtures.Async;
import io.retel.ariproxy.fixtures.DefaultTimeout;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class BoundedSocketTest {

  private static final int RECORD_BYTES = 16_709;
  private static final long LIMIT = 16L << 20;

  @AutoClose private final ServerSocket server;
  @AutoClose private final BoundedSocket socket = new BoundedSocket(LIMIT);
  @AutoClose private final Socket peer;

  BoundedSocketTest() throws IOException {
    server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    socket.connect(server.getLocalSocketAddress());
    peer = server.accept();
  }

  @Test
  void recordThatHasArrivedIsReadAfterDeadline() throws IOException {
    peer.getOutputStream().write(new byte[RECORD_BYTES]);
    socket.setSoTimeout(1);
    InputStream in = socket.getInputStream();
    Awaitility.await().until(() -> in.available() == RECORD_BYTES);

    byte[] record = new byte[RECORD_BYTES];
    assertThat(in.readNBytes(record, 0, 5)).isEqualTo(5);
    assertThat(in.readNBytes(record, 5, RECORD_BYTES - 5)).isEqualTo(RECORD_BYTES - 5);
    assertThatThrownBy(in::read).isInstanceOf(SocketTimeoutException.class);
  }

  @Test
  void peerThatSendsWithoutPauseIsCutOffAfterDeadline() throws IOException {
    CompletableFuture<Void> flood =
        Async.run(
            () -> {
              try {
                while (true) {
                  peer.getOutputStream().write(new byte[RECORD_BYTES]);
                }
              } catch (IOException e) {
                // closed
              }
            });
    InputStream in = socket.getInputStream();
    Awaitility.await().until(() -> in.available() > 3 * RECORD_BYTES);
    socket.setSoTimeout(1);

    assertThatThrownBy(() -> in.readNBytes((int) LIMIT * 2))
        .isInstanceOf(SocketTimeoutException.class);
    socket.close();
    assertThat(flood).succeedsWithin(DefaultTimeout.DURATION);
  }
}
