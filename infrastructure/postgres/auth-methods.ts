/** How a server may ask who the client is: libpq's values of `require_auth`. The driver knows the first three and `none`. */
const AUTH_METHODS = ['password', 'md5', 'scram-sha-256', 'none', 'gss', 'sspi', 'oauth'] as const;
export type AuthMethod = (typeof AUTH_METHODS)[number];

const isAuthMethod = (text: string): text is AuthMethod => AUTH_METHODS.some((method) => method === text);

/**
 * Reads a value of `require_auth` as libpq does: methods that a server may use, or, each with a `!`, those that it may
 * not. An empty text allows all.
 *
 * @returns the methods that a server may use, or a sentence that says why the text is refused
 */
export const parseAuthMethods = (text: string): ReadonlySet<AuthMethod> | string => {
  if (text === '') return new Set(AUTH_METHODS);
  const entries = text.split(',');
  const negated = entries.filter((entry) => entry.startsWith('!'));
  if (negated.length > 0 && negated.length < entries.length)
    return 'its require_auth holds methods with and without a "!"';
  const methods = entries.map((entry) => entry.replace(/^!/, ''));
  if (!methods.every(isAuthMethod)) return `its require_auth must list some of ${AUTH_METHODS.join(', ')}`;
  return new Set(negated.length === 0 ? methods : AUTH_METHODS.filter((method) => !methods.includes(method)));
};

/**
 * What a server may ask for when the URL does not say. Without a verified certificate anybody may have answered: then
 * the password is only proved, never sent, neither in clear text nor as an MD5 hash that can be guessed offline. A
 * server that asks for nothing (trust, peer, a client's certificate) learns nothing.
 */
export const defaultAuthMethods = (options: {
  readonly isServerVerified: boolean;
}): ReadonlySet<AuthMethod> =>
  new Set<AuthMethod>(options.isServerVerified ? AUTH_METHODS : ['scram-sha-256', 'none']);
