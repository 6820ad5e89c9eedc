/** Characters (code points). Length is what counts; no rule asks for digits or signs. */
export const MIN_PASSWORD_LENGTH = 12;
/** Bytes in UTF-8: hashing must not become a way to keep the service busy. */
export const MAX_PASSWORD_BYTES = 1024;

/** The rule that a new password breaks, or null. */
export const passwordProblem = (password: string): string | null => {
  if (Array.from(password).length < MIN_PASSWORD_LENGTH) {
    return `must have at least ${MIN_PASSWORD_LENGTH} characters`;
  }
  return new TextEncoder().encode(password).length > MAX_PASSWORD_BYTES
    ? `must have at most ${MAX_PASSWORD_BYTES} bytes`
    : null;
};
