// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;

/** One value per round. */
record Series(List<Double> values) {

  Series() {
    this(new ArrayList<>());
  }

  void add(double value) {
    values.add(value);
  }

  /** Combines two series round by round. */
  Series combine(Series other, DoubleBinaryOperator function) {
    return new Series(
        IntStream.range(0, Math.min(values.size(), other.values.size()))
            .mapToObj(i -> function.applyAsDouble(values.get(i), other.values.get(i)))
            .toList());
  }

  double median() {
    List<Double> sorted = sorted();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  private List<Double> sorted() {
    return values.stream().sorted().toList();
  }

  /** Returns the median with minimum and maximum. */
  String summary() {
    List<Double> sorted = sorted();
    return "%s (%s-%s)"
        .formatted(
            formatNumber(median()),
            formatNumber(sorted.get(0)),
            formatNumber(sorted.get(sorted.size() - 1)));
  }

  private static String formatNumber(double value) {
    return Math.abs(value) >= 1_000
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : "%.2f", value);
  }
}
