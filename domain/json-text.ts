/**
 * A JSON value as text, as the database gives it. Who only passes it on does not parse it: one dense value of 1 MiB holds
 * the event loop for 80 ms when it is parsed, and takes up to twenty times its size as objects. Decision 0033.
 */
export class JsonText {
  readonly text: string;

  /** @param text valid JSON; nothing checks it */
  constructor(text: string) {
    this.text = text;
  }

  static of(value: unknown): JsonText {
    return new JsonText(JSON.stringify(value));
  }

  /** For `JSON.stringify`, which would write the text as a string. Parses. */
  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}
