// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import io.retel.ariproxy.error.ErrorMessages;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntConsumer;
import org.apache.hc.client5.http.ClientProtocolException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.client5.http.io.HttpClientConnectionOperator;
import org.apache.hc.client5.http.io.ManagedHttpClientConnection;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHeaders;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.http.Method;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.impl.DefaultConnectionReuseStrategy;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.message.BasicClassicHttpRequest;
import org.apache.hc.core5.http.message.MessageSupport;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.net.NamedEndpoint;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Connects, and sends {@code GET /asterisk/ping} on each new connection.
 *
 * <p>At its {@code sessionlimit} Asterisk accepts a connection and closes it unread. A request that
 * was sent on it would have an unknown outcome; after a failed ping, nothing was sent.
 */
final class SessionOpener implements HttpClientConnectionOperator {

  /** Largest response body that is read to reuse the connection. */
  private static final int MAX_BODY = 65_536;

  /** Wait for a response that no request caused, before and after the ping. */
  private static final Timeout UNEXPECTED_DATA_TIMEOUT = Timeout.ofMilliseconds(1);

  private final HttpClientConnectionOperator connector;
  private final String pingPath;
  private final AriLogin login;
  private final IntConsumer onRefused;

  /** The connections that Asterisk serves; closed ones until the next connect. */
  private final Set<ManagedHttpClientConnection> served = ConcurrentHashMap.newKeySet();

  /**
   * @param connector connects, with TLS if required
   * @param login of ARI; a connection to any other server fails
   * @param onRefused receives the number of connections that Asterisk serves when it refuses
   *     another
   */
  SessionOpener(
      HttpClientConnectionOperator connector,
      String basePath,
      AriLogin login,
      IntConsumer onRefused) {
    this.connector = connector;
    this.pingPath = basePath + "/asterisk/ping";
    this.login = login;
    this.onRefused = onRefused;
  }

  @Override
  public void connect(
      ManagedHttpClientConnection connection,
      HttpHost host,
      @Nullable NamedEndpoint endpoint,
      @Nullable InetSocketAddress localAddress,
      Timeout timeout,
      SocketConfig socketConfig,
      @Nullable Object attachment,
      HttpContext context)
      throws IOException {
    // also of a proxy, which would read the login
    String authorization = AriHttpClient.authorization(login, host);
    connector.connect(
        connection, host, endpoint, localAddress, timeout, socketConfig, attachment, context);
    if (!ping(connection, host, authorization, timeout)) {
      // such as a reverse proxy without persistent connections
      // not the connection itself, which could not connect a second time
      connection.getSocket().close();
      connector.connect(
          connection, host, endpoint, localAddress, timeout, socketConfig, attachment, context);
    }
    removeClosed();
    served.add(connection);
  }

  private void removeClosed() {
    served.removeIf(connection -> !connection.isOpen());
  }

  /**
   * @return whether the connection persists
   * @throws ConnectException or ConnectTimeoutException without a response
   */
  private boolean ping(
      ManagedHttpClientConnection connection, HttpHost host, String authorization, Timeout timeout)
      throws IOException {
    Timeout requestTimeout = connection.getSocketTimeout();
    try {
      connection.setSocketTimeout(timeout);
      UnexpectedDataCheck.failIfDataArrives(connection, UNEXPECTED_DATA_TIMEOUT);
      ClassicHttpRequest request = new BasicClassicHttpRequest(Method.GET, pingPath);
      request.setHeader(HttpHeaders.HOST, host.toHostString());
      request.setHeader(HttpHeaders.AUTHORIZATION, authorization);
      connection.sendRequestHeader(request);
      connection.flush();
      ClassicHttpResponse response = connection.receiveResponseHeader();
      while (response.getCode() < HttpStatus.SC_OK) {
        // informational
        response = connection.receiveResponseHeader();
      }
      if (MessageSupport.canResponseHaveBody(request.getMethod(), response)) {
        connection.receiveResponseEntity(response);
      }
      boolean persists =
          isRead(response)
              && DefaultConnectionReuseStrategy.INSTANCE.keepAlive(
                  request, response, HttpCoreContext.create());
      if (persists) {
        UnexpectedDataCheck.failIfDataArrives(connection, UNEXPECTED_DATA_TIMEOUT);
      }
      connection.setSocketTimeout(requestTimeout);
      return persists;
    } catch (UnexpectedDataException e) {
      throw e;
    } catch (NoHttpResponseException | ConnectionClosedException | SocketException e) {
      boolean closedByAsterisk = connection.isOpen();
      connection.close(CloseMode.IMMEDIATE);
      if (!closedByAsterisk) {
        throw new ConnectException("The request was canceled before its connection was served");
      }
      removeClosed();
      onRefused.accept(served.size());
      throw new SessionRefusedException();
    } catch (SocketTimeoutException e) {
      connection.close(CloseMode.IMMEDIATE);
      throw new ConnectTimeoutException(
          "No response to a ping on the new connection within " + timeout.toMilliseconds() + " ms");
    } catch (IOException | HttpException e) {
      connection.close(CloseMode.IMMEDIATE);
      throw new ConnectException(
          "No valid response to a ping on the new connection: " + ErrorMessages.singleLine(e));
    }
  }

  private static boolean isRead(ClassicHttpResponse response) throws IOException {
    HttpEntity entity = response.getEntity();
    return entity == null
        || entity.getContent() == null
        || entity.getContent().readNBytes(MAX_BODY).length < MAX_BODY;
  }

  @Override
  public void connect(
      ManagedHttpClientConnection connection,
      HttpHost host,
      @Nullable InetSocketAddress localAddress,
      TimeValue timeout,
      SocketConfig socketConfig,
      HttpContext context)
      throws IOException {
    connect(
        connection,
        host,
        null,
        localAddress,
        Timeout.of(timeout.getDuration(), timeout.getTimeUnit()),
        socketConfig,
        null,
        context);
  }

  @Override
  public void upgrade(ManagedHttpClientConnection connection, HttpHost host, HttpContext context)
      throws IOException {
    throw unexpectedUpgrade();
  }

  @Override
  public void upgrade(
      ManagedHttpClientConnection connection,
      HttpHost host,
      NamedEndpoint endpoint,
      Object attachment,
      HttpContext context)
      throws IOException {
    throw unexpectedUpgrade();
  }

  /** No request asks for an upgrade. HttpClient would follow one that comes as a response. */
  private static IOException unexpectedUpgrade() {
    return new ClientProtocolException("it switched to another protocol");
  }
}
