// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import org.jspecify.annotations.Nullable;

/**
 * A request to ARI.
 *
 * @param method GET, POST, PUT or DELETE
 * @param path the path below {@code /ari}, percent-encoded, starting with a slash
 * @param query the query, percent-encoded, or null
 * @param body JSON in UTF-8, or null
 */
public record AriRequest(
    String method, String path, @Nullable String query, byte @Nullable [] body) {}
