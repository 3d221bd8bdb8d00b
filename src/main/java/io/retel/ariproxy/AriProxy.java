package io.retel.ariproxy;

public final class AriProxy {
  private AriProxy() {}
}
