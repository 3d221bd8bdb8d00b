// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.io.IOException;
import javax.net.ssl.SSLException;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.impl.io.HttpRequestExecutor;
import org.apache.hc.core5.http.io.HttpClientConnection;
import org.apache.hc.core5.http.io.HttpResponseInformationCallback;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Sends no request on a connection on which data has already arrived, such as a second response to
 * an earlier request, or the 408 of a load balancer: it would be taken for the response.
 */
final class UnexpectedDataCheck extends HttpRequestExecutor {

  private static final Timeout NO_WAIT = Timeout.ofMilliseconds(BoundedSocket.NO_WAIT_MS);

  @Override
  public ClassicHttpResponse execute(
      ClassicHttpRequest request,
      HttpClientConnection connection,
      @Nullable HttpResponseInformationCallback informationCallback,
      HttpContext context)
      throws IOException, HttpException {
    failIfDataArrives(connection, NO_WAIT);
    return super.execute(request, connection, informationCallback, context);
  }

  /** Closes the connection and fails if data has arrived, or arrives within the timeout. */
  static void failIfDataArrives(HttpClientConnection connection, Timeout timeout)
      throws IOException {
    if (isDataAvailable(connection, timeout)) {
      connection.close(CloseMode.IMMEDIATE);
      throw new UnexpectedDataException();
    }
  }

  private static boolean isDataAvailable(HttpClientConnection connection, Timeout timeout)
      throws IOException {
    try {
      return connection.isDataAvailable(timeout);
    } catch (SSLException e) {
      // data that is not TLS
      return true;
    }
  }
}
