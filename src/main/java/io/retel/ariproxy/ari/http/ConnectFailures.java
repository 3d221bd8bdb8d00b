// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.util.List;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;

/** Exceptions after which nothing was sent to Asterisk, so that a request can be sent again. */
public final class ConnectFailures {

  /** The exception classes, subclasses included. */
  public static final List<Class<? extends Exception>> TYPES =
      List.of(
          ConnectException.class,
          UnknownHostException.class,
          NoRouteToHostException.class,
          TlsNotEstablishedException.class,
          ConnectTimeoutException.class,
          ConnectionRequestTimeoutException.class);

  private ConnectFailures() {}

  static boolean includes(Exception failure) {
    return TYPES.stream().anyMatch(type -> type.isInstance(failure));
  }
}
