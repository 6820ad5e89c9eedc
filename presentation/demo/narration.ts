/** Writes numbered headings, and indented lines below them. */
export class Narration {
  readonly #write: (text: string) => void;
  #steps = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  step(title: string): void {
    this.#steps += 1;
    this.#write(`\n${this.#steps}. ${title}\n`);
  }

  line(text: string): void {
    this.#write(`   ${text}\n`);
  }

  /** Each column is as wide as its widest cell. Numbers stand to the right. */
  table(rows: readonly (readonly (string | number)[])[]): void {
    const columns = Math.max(...rows.map((row) => row.length));
    const widths = Array.from({ length: columns }, (_, column) =>
      Math.max(...rows.map((row) => String(row[column] ?? '').length)),
    );
    for (const row of rows) {
      const cells = row.map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === 'number' ? String(cell).padStart(width) : cell.padEnd(width);
      });
      this.line(`  ${cells.join('  ').trimEnd()}`);
    }
  }
}
