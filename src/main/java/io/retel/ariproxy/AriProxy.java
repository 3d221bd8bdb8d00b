// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy;

import io.retel.ariproxy.app.CommandLine;
import io.retel.ariproxy.app.NativeLibraries;
import io.retel.ariproxy.app.ProxyApplication;
import io.retel.ariproxy.app.TemporaryDirectory;
import io.retel.ariproxy.config.InvalidSettingException;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.config.UnknownEnvironmentVariables;
import io.retel.ariproxy.error.FatalErrors;
import io.retel.ariproxy.error.StartupErrors;
import io.retel.ariproxy.route.RouteFiles;
import io.retel.ariproxy.text.JsonLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.camel.util.ObjectHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Main class: parses arguments, reads the settings, runs the proxy and returns its exit code. */
public final class AriProxy {

  /** Exit code for an invalid setting or route file (EX_CONFIG of sysexits.h). */
  public static final int EXIT_INVALID_SETTING = 78;

  /** Exit code for any other startup failure. */
  public static final int EXIT_START_FAILED = 1;

  /**
   * Exit code after another client replaced this one in the Stasis application (EX_UNAVAILABLE of
   * sysexits.h). A supervisor must not restart the proxy: it would replace that client in turn.
   */
  public static final int EXIT_REPLACED = 69;

  /**
   * Environment variable, {@code 0}, that replaces the exit codes after which a restart does not
   * help.
   */
  public static final String EXIT_CODE_WITHOUT_RESTART = "EXIT_CODE_WITHOUT_RESTART";

  private static final Logger LOG = LoggerFactory.getLogger(AriProxy.class);
  private static final Path CONFIGURATION_FILE = Path.of("config", "application.properties");

  /** Not set by the JDK. */
  private static final String ADDRESS_TTL = "networkaddress.cache.ttl";

  private static final String NEGATIVE_ADDRESS_TTL = "networkaddress.cache.negative.ttl";

  /** Set in the JDK's {@code conf/security/java.security}. */
  private static final String DEFAULT_NEGATIVE_ADDRESS_TTL = "10";

  private AriProxy() {}

  /** Runs until SIGTERM or Ctrl-C, or executes a command-line option. */
  public static void main(String[] args) {
    FatalErrors.install();
    JsonLimits.setDefaults();
    // Camel 4.18 lowercases option names in the default locale: in Turkish, groupId is not found
    Locale.setDefault(Locale.ROOT);
    limitNameCaches();
    int exitCode = run(args, System.getenv());
    // the result of an option, such as --health, is for its caller
    System.exit(args.length == 0 ? forSupervisor(exitCode, System.getenv()) : exitCode);
  }

  /**
   * Returns the exit code for the supervisor. A container engine that restarts after a crash does
   * so after any code but 0; a limit of restarts counts those of a container's whole life.
   */
  public static int forSupervisor(int exitCode, Map<String, String> environment) {
    boolean isPermanent = exitCode == EXIT_REPLACED || exitCode == EXIT_INVALID_SETTING;
    return isPermanent && "0".equals(environment.get(EXIT_CODE_WITHOUT_RESTART)) ? 0 : exitCode;
  }

  /**
   * Limits how long the JVM remembers the addresses of a name, and that it has none: by default 30
   * s and 10 s, during which a server that moved is not found. Must run before the first lookup.
   *
   * <p>A value that differs from the JDK's default is an operator's, and remains.
   */
  static void limitNameCaches() {
    if (Security.getProperty(ADDRESS_TTL) == null) {
      Security.setProperty(ADDRESS_TTL, System.getProperty("sun.net.inetaddr.ttl", "5"));
    }
    String negative = Security.getProperty(NEGATIVE_ADDRESS_TTL);
    if (negative == null || negative.equals(DEFAULT_NEGATIVE_ADDRESS_TTL)) {
      Security.setProperty(
          NEGATIVE_ADDRESS_TTL, System.getProperty("sun.net.inetaddr.negative.ttl", "1"));
    }
  }

  /**
   * Runs until shutdown, or executes a command-line option.
   *
   * @param environment the environment variables, which override the settings file
   * @return the exit code
   */
  static int run(String[] args, Map<String, String> environment) {
    try {
      OptionalInt exitCode =
          CommandLine.execute(
              args,
              CONFIGURATION_FILE,
              () -> readSettings(Settings.withPlaceholderValues(environment)),
              System.out,
              System.err);
      if (exitCode.isPresent()) {
        return exitCode.getAsInt();
      }
      // before missing settings are reported, since a missing one may just be misspelled
      UnknownEnvironmentVariables.warnings(environment).forEach(LOG::warn);
      return run(readSettings(environment));
    } catch (InvalidSettingException e) {
      LOG.error("{}", e.getMessage());
      return EXIT_INVALID_SETTING;
    }
  }

  private static Settings readSettings(Map<String, String> environment) {
    if (!Files.isRegularFile(CONFIGURATION_FILE)) {
      throw new InvalidSettingException(
          CONFIGURATION_FILE.toAbsolutePath()
              + " does not exist: start in the folder that contains config/ and routes/");
    }
    return Settings.read(CONFIGURATION_FILE, environment);
  }

  /** Runs until shutdown and returns the exit code. */
  private static int run(Settings settings) {
    Optional<TemporaryDirectory> temporary = TemporaryDirectory.enter();
    try {
      return runApplication(settings);
    } finally {
      temporary.ifPresent(TemporaryDirectory::delete);
    }
  }

  private static int runApplication(Settings settings) {
    ProxyApplication application = ProxyApplication.create(CONFIGURATION_FILE, settings);
    LOG.info("Libraries unpack native code in {}", System.getProperty("java.io.tmpdir"));
    NativeLibraries.warnIfMissing();
    try {
      int exitCode = application.run(new String[0]);
      return application.isReplaced() ? EXIT_REPLACED : exitCode;
    } catch (Exception e) {
      // otherwise Camel handles the exit of the process as a signal
      application.completed();
      InvalidSettingException invalidSetting =
          ObjectHelper.getException(InvalidSettingException.class, e);
      if (invalidSetting != null) {
        throw invalidSetting;
      }
      boolean invalidRouteFile = RouteFiles.isRouteFileError(e);
      LOG.error(
          "ari-proxy failed to start: {}{}",
          StartupErrors.singleLine(e),
          invalidRouteFile ? ". " + RouteFiles.REMEDY : "");
      LOG.debug("Startup failed", e);
      return invalidRouteFile ? EXIT_INVALID_SETTING : EXIT_START_FAILED;
    }
  }
}
