/** Counts attempts to guess a password, in all processes together. */
export interface LoginAttempts {
  /**
   * Counts an attempt before its outcome is known, so that many at once do not slip through.
   *
   * @param account the email as sent, whether anybody has it or not
   * @throws {TooManyAttemptsError}
   */
  begin(account: string, address: string): Promise<void>;
  /** Takes the attempt back: the password was right. */
  succeed(account: string, address: string): Promise<void>;
}
