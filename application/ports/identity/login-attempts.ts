/** Counts login attempts of all processes together, to limit the guessing of passwords. */
export interface LoginAttempts {
  /**
   * Counts an attempt. Call it before the password is checked: otherwise many concurrent attempts would pass the limit.
   *
   * @param account the email as sent; it need not belong to a user
   * @param address the client's IP address
   * @throws {TooManyAttemptsError} when the account or the address has reached its limit
   */
  begin(account: string, address: string): Promise<void>;
  /** Records that the password was right: resets the account's count and uncounts this attempt for the address. */
  succeed(account: string, address: string): Promise<void>;
  /**
   * Counts a key that opens nothing. Those that open something are not counted: nobody guesses one of 256 bits, and a fleet
   * starts all at once. Nor do these attempts count as logins: a forgotten worker must not close its address for people.
   *
   * @throws {TooManyAttemptsError} when the address has reached its limit
   */
  failKey(address: string): Promise<void>;
}
