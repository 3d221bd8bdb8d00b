// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.resync;

/** The exchange properties of a resync. The route {@code query-asterisk} sets the responses. */
final class ResyncProperties {

  /** The {@link ResyncContext}; set by {@link StartResync}. */
  static final String CONTEXT = "resyncContext";

  /** Asterisk's response to {@code GET /asterisk/info}, a String. */
  static final String ASTERISK = "asterisk";

  /** Asterisk's response to {@code GET /applications}, a String. */
  static final String APPLICATIONS = "applications";

  /** Asterisk's response to {@code GET /channels}, a String. */
  static final String CHANNELS = "channels";

  /** Asterisk's response to {@code GET /bridges}, a String. */
  static final String BRIDGES = "bridges";

  /** The playback or recording being looked up, a Resource. */
  static final String MEDIA = "queriedMedia";

  /** The request that restores a subscription or an event filter. */
  static final String SUBSCRIPTION_REQUEST = "subscriptionRequest";

  private ResyncProperties() {}
}
