// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.component.ahcws;

import io.netty.resolver.DefaultNameResolver;
import io.netty.util.concurrent.ImmediateEventExecutor;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Stream;

/**
 * Resolves a name to the addresses of one family, that of the first one. {@code localhost} has two:
 * while the server is down, another user can listen at the one that it does not use.
 */
final class OneFamilyNameResolver extends DefaultNameResolver {

  static final OneFamilyNameResolver INSTANCE = new OneFamilyNameResolver();

  private OneFamilyNameResolver() {
    super(ImmediateEventExecutor.INSTANCE);
  }

  @Override
  protected void doResolveAll(String name, Promise<List<InetAddress>> promise)
      throws UnknownHostException {
    InetAddress[] all = InetAddress.getAllByName(name);
    promise.setSuccess(
        Stream.of(all).filter(address -> address.getClass() == all[0].getClass()).toList());
  }
}
