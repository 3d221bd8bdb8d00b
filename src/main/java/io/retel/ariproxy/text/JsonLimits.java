// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;

/**
 * Limits for JSON from outside, in addition to Jackson's.
 *
 * <p>A factory of Jackson remembers up to 12,000 names of fields from all texts that it has read.
 * Jackson's limit of a name is 50,000 characters.
 */
public final class JsonLimits {

  /** Of the name of a field, in characters. Asterisk's own have up to 40. */
  public static final int MAX_NAME_LENGTH = 256;

  private JsonLimits() {}

  /** Returns limits to which others can be added. */
  public static StreamReadConstraints.Builder constraints() {
    return StreamReadConstraints.builder().maxNameLength(MAX_NAME_LENGTH);
  }

  /** Returns a factory with these limits only. */
  public static JsonFactory factory() {
    return JsonFactory.builder().streamReadConstraints(constraints().build()).build();
  }

  /** Limits all factories that are created later and have no limits of their own, as in Camel. */
  public static void setDefaults() {
    StreamReadConstraints.overrideDefaultStreamReadConstraints(constraints().build());
  }
}
