// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What remains in memory of a record that is too large to be a command, or whose body is too large.
 *
 * @param fields those that its RESPONSE needs, as far as they could be read
 * @param problem the sentence for its RESPONSE
 */
record LargeRecord(ObjectNode fields, String problem) {}
