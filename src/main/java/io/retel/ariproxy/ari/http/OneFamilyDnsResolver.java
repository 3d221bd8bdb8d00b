// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.ari.http;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.stream.Stream;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/**
 * Resolves a name to the addresses of one family, that of the first one. {@code localhost} has two:
 * while Asterisk is down, another user can listen at the one that it does not use.
 */
final class OneFamilyDnsResolver extends SystemDefaultDnsResolver {

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    InetAddress[] all = super.resolve(host);
    return Stream.of(all)
        .filter(address -> address.getClass() == all[0].getClass())
        .toArray(InetAddress[]::new);
  }
}
