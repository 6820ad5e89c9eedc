const LOCAL = String.raw`[\p{L}\p{M}\p{N}.!#$%&'*+/=?^_\x60{|}~-]+`;
const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?`;

/** An address as RFC 5321 and RFC 6531 have it, without quotes, comments and address literals. Also used by OpenAPI. */
export const EMAIL_PATTERN = new RegExp(String.raw`^${LOCAL}@${LABEL}(?:\.${LABEL})*$`, 'u');
export const MAX_EMAIL_LENGTH = 254;

/**
 * The form by which emails are told apart, for look-ups and for counters of attempts alike: compatibility forms (NFKC) and
 * case are folded, and an international domain is written in ASCII. Only this function computes it: PostgreSQL folds case by
 * the locale of its server, and so disagrees with JavaScript about letters such as `İ`. Takes any text. Decision 0036.
 */
export const canonicalEmail = (email: string): string => {
  const folded = email.normalize('NFKC').toLowerCase().normalize('NFKC');
  const at = folded.lastIndexOf('@') + 1;
  return folded.slice(0, at) + (at === 0 ? folded : inAscii(folded.slice(at)));
};

/** The domain as DNS has it; text that is no international domain stays as it is. */
const inAscii = (domain: string): string => {
  const isInternational = /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain) && /\P{ASCII}/u.test(domain);
  const url = `http://${domain}`;
  return isInternational && URL.canParse(url) ? new URL(url).hostname : domain;
};
