/** Raised when the service does not answer as the demo expects. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

/** Raised when the demo was asked for what it does not know, or was not asked to write where it would. */
export class DemoMisuseError extends Error {
  override readonly name = 'DemoMisuseError';
}
