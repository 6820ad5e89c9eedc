/** Raised when the embedded server cannot be started. The message is written for the person who started the process. */
export class EmbeddedPostgresError extends Error {
  override readonly name = 'EmbeddedPostgresError';
}
