// SPDX-License-Identifier: Apache-2.0
package io.retel.ariproxy.logging;

import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import io.retel.ariproxy.error.ErrorMessages;
import io.retel.ariproxy.text.LogText;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An exception with escaped messages, without details of URLs, and a bounded number of causes; its
 * frames are unchanged.
 */
final class EscapedThrowable implements IThrowableProxy {

  private static final int MAX_CAUSES = 20;
  private static final int MAX_SUPPRESSED = 5;

  private final IThrowableProxy throwable;
  private final int remainingCauses;

  private EscapedThrowable(IThrowableProxy throwable, int remainingCauses) {
    this.throwable = throwable;
    this.remainingCauses = remainingCauses;
  }

  static @Nullable IThrowableProxy of(@Nullable IThrowableProxy throwable) {
    return of(throwable, MAX_CAUSES);
  }

  private static @Nullable IThrowableProxy of(
      @Nullable IThrowableProxy throwable, int remainingCauses) {
    return throwable == null || remainingCauses == 0
        ? null
        : new EscapedThrowable(throwable, remainingCauses - 1);
  }

  @Override
  public @Nullable String getMessage() {
    return escape(throwable.getMessage());
  }

  @Override
  public @Nullable String getOverridingMessage() {
    return escape(throwable.getOverridingMessage());
  }

  @Override
  public @Nullable String getClassName() {
    return escape(throwable.getClassName());
  }

  private static @Nullable String escape(@Nullable String text) {
    return text == null
        ? null
        : LogText.escape(ErrorMessages.withoutUrlDetails(text), LogText.MAX_DETAIL_LENGTH);
  }

  @Override
  public @Nullable IThrowableProxy getCause() {
    return of(throwable.getCause(), remainingCauses);
  }

  @Override
  public IThrowableProxy @Nullable [] getSuppressed() {
    IThrowableProxy[] suppressed = throwable.getSuppressed();
    return suppressed == null || remainingCauses == 0
        ? null
        : Arrays.stream(suppressed)
            .limit(MAX_SUPPRESSED)
            .map(each -> new EscapedThrowable(each, remainingCauses / 2))
            .toArray(IThrowableProxy[]::new);
  }

  @Override
  public StackTraceElementProxy[] getStackTraceElementProxyArray() {
    return throwable.getStackTraceElementProxyArray();
  }

  @Override
  public int getCommonFrames() {
    return throwable.getCommonFrames();
  }

  @Override
  public boolean isCyclic() {
    return throwable.isCyclic();
  }
}
