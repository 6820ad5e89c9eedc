/** Raised when a command does not fit the state of the latest run; nothing was changed. */
export class FleetCommandError extends Error {
  override readonly name = 'FleetCommandError';
}
