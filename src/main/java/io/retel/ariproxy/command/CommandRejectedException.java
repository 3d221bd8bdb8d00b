package io.retel.ariproxy.command;

/** A command that is not sent to Asterisk; the message tells its controller why. */
public final class CommandRejectedException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * @param status the RESPONSE's status code
   * @param message what is wrong and what would be right
   */
  public CommandRejectedException(int status, String message) {
    super(message, null, false, false);
    this.status = status;
  }

  public int status() {
    return status;
  }
}
