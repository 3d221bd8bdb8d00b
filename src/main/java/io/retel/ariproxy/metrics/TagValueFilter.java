// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.metrics;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.config.MeterFilter;
import java.util.ArrayList;
import java.util.List;

/**
 * Filter of a registry that replaces unsuitable tag values with {@code other}, of any meter,
 * including Camel's and the JVM's. Suitable are letters and digits of any language, spaces and the
 * punctuation of ASCII without quotes and backslashes, at most 128 characters.
 *
 * <p>Runs once for each meter. Meters with foreign tag values also limit them to known ones.
 */
final class TagValueFilter implements MeterFilter {

  private static final int MAX_LENGTH = 128;
  private static final String OTHER = "other";

  @Override
  public Meter.Id map(Meter.Id id) {
    List<Tag> tags = new ArrayList<>();
    boolean changed = false;
    for (Tag tag : id.getTagsAsIterable()) {
      boolean suitable = isSuitable(tag.getValue());
      changed |= !suitable;
      tags.add(suitable ? tag : Tag.of(tag.getKey(), OTHER));
    }
    return changed ? id.replaceTags(tags) : id;
  }

  private static boolean isSuitable(String value) {
    return value.length() <= MAX_LENGTH && value.codePoints().allMatch(TagValueFilter::isSuitable);
  }

  private static boolean isSuitable(int codePoint) {
    return codePoint >= ' ' && codePoint <= '~'
        ? codePoint != '"' && codePoint != '\\'
        : Character.isLetterOrDigit(codePoint);
  }
}
