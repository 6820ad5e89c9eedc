/** For the person at the terminal. Knex's command prints the stack of an error: this one's is its message alone. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
    this.stack = message;
  }
}
