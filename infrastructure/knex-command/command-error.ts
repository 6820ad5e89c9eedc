/** Raised for the user of the `knex` command, which prints an error's stack. This stack holds only the message. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
    this.stack = message;
  }
}
