// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.command;

import io.retel.ariproxy.ari.http.ConnectFailures;
import io.retel.ariproxy.callcontext.store.StoreUnavailableException;
import io.retel.ariproxy.config.Setting;
import io.retel.ariproxy.config.Settings;
import io.retel.ariproxy.route.RetryPolicy;
import org.apache.camel.builder.RouteConfigurationBuilder;
import org.apache.camel.model.OnExceptionDefinition;
import org.apache.camel.model.RouteConfigurationDefinition;
import org.apache.camel.processor.ThrottlerRejectedExecutionException;
import org.apache.kafka.common.errors.RecordTooLargeException;

/**
 * Route configuration so that every command gets a RESPONSE. Its status depends on whether the
 * request was sent (docs/contract.md#commands).
 */
public final class CommandErrors extends RouteConfigurationBuilder {

  /** The id of this route configuration. */
  public static final String ID = "command-errors";

  private static final String PUBLISH = "handover:publish";

  /** The error of a step that an author has added is not one of Asterisk, the store or Kafka. */
  private static final String IS_OWN_ERROR = "${exchangeProperty.failedStep} == null";

  private static final String IS_GENERIC =
      "${exchangeProperty.command.origin.topic} == '{{kafka.generic-commands-topic}}'";

  private final RetryPolicy retries;

  /**
   * @param retries while Asterisk is unreachable and nothing is sent
   */
  public CommandErrors(RetryPolicy retries) {
    this.retries = retries;
  }

  /** Returns the retries that the settings specify. */
  public static RetryPolicy retries(Settings settings) {
    return new RetryPolicy(
        settings.get(Setting.COMMANDS_MAX_RETRIES), settings.get(Setting.COMMANDS_RETRY_DELAY));
  }

  @Override
  public void configuration() {
    RouteConfigurationDefinition errors = routeConfiguration(ID);
    rejected(errors);
    unreachable(errors);
    storeUnavailable(errors);
    earlierCommandsHang(errors);
    tooLarge(errors);
    outcomeUnknown(errors);
  }

  private static void rejected(RouteConfigurationDefinition errors) {
    errors
        .onException(CommandRejectedException.class, ThrottlerRejectedExecutionException.class)
        .id("rejected-command")
        .description(
            "400, 403, 409, 410, 413 or 429: the command is invalid, not allowed, of a lost application, too old, too large or one too many for a throttle step.")
        .handled(true)
        .process("respondRejected")
        .id("respond-rejected")
        .to(PUBLISH)
        .id("publish-rejected");
  }

  private void unreachable(RouteConfigurationDefinition errors) {
    retries
        .applyTo(onConnectFailure(errors))
        .id("asterisk-unreachable")
        .onWhen(simple(IS_OWN_ERROR))
        .description(
            "503 after retries, since nothing was sent. A generic command is released to another proxy instead.")
        .handled(true)
        .choice()
        .id("generic-or-own")
        .when(simple(IS_GENERIC))
        .id("generic-unreachable")
        .process("releaseCommand")
        .id("release-command")
        .process("updateCreatedMappings")
        .id("update-mappings-released")
        .otherwise()
        .id("own-unreachable")
        .process("respondUnreachable")
        .id("respond-unreachable")
        .process("updateCreatedMappings")
        .id("update-mappings-unreachable")
        .to(PUBLISH)
        .id("publish-unreachable");
  }

  private static OnExceptionDefinition onConnectFailure(RouteConfigurationDefinition errors) {
    OnExceptionDefinition onException = errors.onException(Exception.class);
    onException.setExceptions(ConnectFailures.TYPES.stream().map(Class::getName).toList());
    return onException;
  }

  private void storeUnavailable(RouteConfigurationDefinition errors) {
    errors
        .onException(StoreUnavailableException.class)
        .id("store-unavailable")
        .onWhen(simple(IS_OWN_ERROR))
        .description(
            "503: nothing is created before its mapping is persisted. A generic command is released to another proxy instead.")
        .handled(true)
        .choice()
        .id("generic-or-own-creation")
        .when(simple(IS_GENERIC))
        .id("generic-store-unavailable")
        .process("releaseCommand")
        .id("release-creation")
        .process("updateCreatedMappings")
        .id("update-mappings-released-creation")
        .otherwise()
        .id("own-store-unavailable")
        .process("respondStoreUnavailable")
        .id("respond-store-unavailable")
        .process("updateCreatedMappings")
        .id("update-mappings-store-unavailable")
        .to(PUBLISH)
        .id("publish-store-unavailable");
  }

  private void earlierCommandsHang(RouteConfigurationDefinition errors) {
    errors
        .onException(EarlierCommandsHangException.class)
        .id("earlier-commands-hang")
        .description(
            "503: nothing is sent while earlier commands of its operation or call hang. A generic command is released to another proxy instead.")
        .handled(true)
        .choice()
        .id("generic-or-own-hanging")
        .when(simple(IS_GENERIC))
        .id("generic-earlier-commands-hang")
        .process("releaseCommand")
        .id("release-hanging")
        .otherwise()
        .id("own-earlier-commands-hang")
        .process("respondEarlierCommandsHang")
        .id("respond-earlier-commands-hang")
        .to(PUBLISH)
        .id("publish-earlier-commands-hang");
  }

  private void tooLarge(RouteConfigurationDefinition errors) {
    errors
        .onException(RecordTooLargeException.class)
        .id("response-too-large")
        .onWhen(simple(IS_OWN_ERROR))
        .description("413: Asterisk responded, but the record is too large for the topic.")
        .handled(true)
        .process("respondTooLarge")
        .id("respond-too-large")
        .to(PUBLISH)
        .id("publish-too-large");
  }

  private static void outcomeUnknown(RouteConfigurationDefinition errors) {
    errors
        .onException(Exception.class)
        .id("outcome-unknown")
        .description(
            "504: the request may have been sent, so it is never sent again. A response already received is published again. 500: an added step failed before.")
        .handled(true)
        .process("respondOutcomeUnknown")
        .id("respond-outcome-unknown")
        .process("updateCreatedMappings")
        .id("update-mappings-outcome-unknown")
        .to(PUBLISH)
        .id("publish-outcome-unknown");
  }
}
