/** Raised when the service does not answer as the demo expects. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
