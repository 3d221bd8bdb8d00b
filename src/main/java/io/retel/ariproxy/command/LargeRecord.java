// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What remains in memory of a record that is too large to be a command.
 *
 * @param fields those that its RESPONSE needs, as far as they could be read
 * @param size of the record's value, in bytes
 * @param maxSize the limit, in bytes
 */
record LargeRecord(JsonNode fields, int size, long maxSize) {}
