/** A memory-hard password hash. */
export interface Passwords {
  /** PHC string. */
  hash(password: string): Promise<string>;
  /** Takes as long when `hash` is null (no such user) as when it is not. */
  verify(password: string, hash: string | null): Promise<boolean>;
}
