/** The service did something else than the demo shows. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
