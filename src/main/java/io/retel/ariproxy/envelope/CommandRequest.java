// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.envelope;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A command as its controller sent it, for the RESPONSE.
 *
 * @param callContext the call context; null if none was found
 * @param commandId any JSON value; null if the command has none
 * @param method the HTTP method; null if the record is malformed
 * @param url the URL; null if the record is malformed
 */
public record CommandRequest(
    @Nullable String callContext,
    @Nullable JsonNode commandId,
    @Nullable String method,
    @Nullable String url) {}
