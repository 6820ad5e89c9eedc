/**
 * For the pages of the console. Scripts, styles and data come from this service alone, no text becomes a script, and no
 * other site frames them.
 *
 * @param fileOrigins where the store of files is, if browsers get files from there
 */
export const consolePolicy = (fileOrigins: readonly string[] = []): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    ['connect-src', "'self'", ...fileOrigins].join(' '),
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
