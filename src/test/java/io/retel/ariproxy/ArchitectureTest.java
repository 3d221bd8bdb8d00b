// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import io.retel.ariproxy.text.JsonLimits;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.time.temporal.Temporal;
import java.time.temporal.TemporalUnit;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.NullMarked;

/** Every dependency points to a lower layer (docs/architecture.md#layers). */
@AnalyzeClasses(packagesOf = AriProxy.class, importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

  private static final String ROOT = AriProxy.class.getPackageName();

  /** Packages in the same layer do not depend on each other; subpackages belong to their parent. */
  static final List<List<String>> LAYERS =
      List.of(
          List.of("component", "config", "error", "metrics", "text", "time"),
          List.of("timer", "tls"),
          List.of("ari", "kafka"),
          List.of("callcontext", "logging"),
          List.of("envelope", "route"),
          List.of("command", "event", "resync"),
          List.of("dryrun", "health", "jmx", "tracing"),
          List.of("app"),
          List.of(""));

  @ArchTest
  static final ArchRule dependenciesPointDown =
      ArchRuleDefinition.classes().should(dependOnLowerLayersOnly());

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching(ROOT + ".(**)").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule componentsAreIndependent =
      ArchRuleDefinition.classes()
          .that()
          .resideInAPackage(ROOT + ".component..")
          .should()
          .onlyDependOnClassesThat(
              DescribedPredicate.describe(
                  "belong to components or libraries",
                  type ->
                      !type.getPackageName().startsWith(ROOT)
                          || type.getPackageName().startsWith(ROOT + ".component")));

  /** NullAway checks marked packages only. */
  @ArchTest
  static final ArchRule packagesAreNullMarked =
      ArchRuleDefinition.classes()
          .should(
              ArchCondition.from(
                  DescribedPredicate.<JavaClass>describe(
                      "belong to a package marked @NullMarked",
                      type -> type.getPackage().isAnnotatedWith(NullMarked.class))));

  /** A step of the system clock would make it negative, or too long. */
  @ArchTest
  static final ArchRule noDurationComesFromTheTimeOfDay =
      ArchRuleDefinition.noClasses()
          .should()
          .callMethod(Duration.class, "between", Temporal.class, Temporal.class)
          .orShould()
          .callMethod(Instant.class, "until", Temporal.class, TemporalUnit.class)
          .orShould()
          .callMethod(ChronoUnit.class, "between", Temporal.class, Temporal.class)
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .as("use io.retel.ariproxy.time or System.nanoTime() for durations");

  /** Jackson's own limits let texts from outside fill the heap. */
  @ArchTest
  static final ArchRule textsFromOutsideAreLimited =
      ArchRuleDefinition.noClasses()
          .that()
          .doNotBelongToAnyOf(JsonLimits.class)
          .should()
          .callConstructor(JsonFactory.class)
          .orShould()
          .callMethod(StreamReadConstraints.class, "builder")
          .as("use io.retel.ariproxy.text.JsonLimits");

  private static ArchCondition<JavaClass> dependOnLowerLayersOnly() {
    return new ArchCondition<>("depend on lower layers only") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        type.getDirectDependenciesFromSelf().stream()
            .filter(dependency -> dependency.getTargetClass().getPackageName().startsWith(ROOT))
            .filter(dependency -> !topPackage(dependency.getTargetClass()).equals(topPackage(type)))
            .filter(dependency -> layer(dependency.getTargetClass()) >= layer(type))
            .forEach(
                dependency ->
                    events.add(SimpleConditionEvent.violated(type, dependency.getDescription())));
      }
    };
  }

  private static int layer(JavaClass type) {
    return IntStream.range(0, LAYERS.size())
        .filter(layer -> LAYERS.get(layer).contains(topPackage(type)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no layer for " + type.getName()));
  }

  private static String topPackage(JavaClass type) {
    String name = type.getPackageName().substring(ROOT.length());
    return name.isEmpty() ? "" : name.substring(1).split("\\.")[0];
  }
}
