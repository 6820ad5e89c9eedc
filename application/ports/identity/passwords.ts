/** Hashes passwords with a memory-hard function, a few at once. @throws {ServiceBusyError} when too many wait */
export interface Passwords {
  /** Returns a PHC string. */
  hash(password: string): Promise<string>;
  /** Takes the same time when `hash` is null, so that the response time does not show whether a user exists. */
  verify(password: string, hash: string | null): Promise<boolean>;
}
