/** Characters (code points). Length is what counts; no rule asks for digits or signs. */
export const MIN_PASSWORD_LENGTH = 12;
/** Bytes in UTF-8: hashing must not become a way to keep the service busy. */
export const MAX_PASSWORD_BYTES = 1024;

/** The rule that a new password breaks, or null. */
export const passwordProblem = (password: string): string | null => {
  if (Array.from(password).length < MIN_PASSWORD_LENGTH) {
    return `must have at least ${MIN_PASSWORD_LENGTH} characters`;
  }
  return utf8Length(password) > MAX_PASSWORD_BYTES ? `must have at most ${MAX_PASSWORD_BYTES} bytes` : null;
};

const utf8Length = (text: string): number => {
  let length = 0;
  for (const character of text) {
    // A string's iterator yields whole characters, never empty ones.
    const code = character.codePointAt(0) ?? 0;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_00_00 ? 3 : 4;
  }
  return length;
};
