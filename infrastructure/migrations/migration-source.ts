import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Knex } from 'knex';

/** One migration as its file exports it. */
export interface MigrationModule extends Knex.Migration {
  /** Knex's own convention: `{ transaction: false }` for statements that refuse to run in one. */
  readonly config?: { readonly transaction?: boolean };
}

/**
 * The migrations in a folder, in the order of their names. A migration's name is its file's without the extension:
 * the TypeScript source and the compiled build are then the same migration to Knex.
 */
export class MigrationSource implements Knex.MigrationSource<string> {
  readonly directory: URL;
  readonly #count: number;

  /**
   * @param directory ends with a slash
   * @param count as many as there are to be, from the first
   */
  constructor(directory: URL, count = Infinity) {
    this.directory = directory;
    this.#count = count;
  }

  /** The first of them, as an earlier release had them. */
  upTo(count: number): MigrationSource {
    return new MigrationSource(this.directory, count);
  }

  async getMigrations(): Promise<string[]> {
    const files = await readdir(this.directory);
    return files
      .filter((file) => /^\d.*\.[jt]s$/.test(file) && !file.endsWith('.d.ts'))
      .toSorted()
      .slice(0, this.#count);
  }

  getMigrationName(file: string): string {
    return file.replace(/\.[jt]s$/, '');
  }

  async getMigration(file: string): Promise<MigrationModule> {
    const module: MigrationModule = await import(new URL(file, this.directory).href);
    return module;
  }

  /** SHA-256 of names and texts: another content is another schema, as far as anyone can tell beforehand. */
  async contentHash(): Promise<string> {
    const hash = createHash('sha256');
    for (const file of await this.getMigrations()) {
      const text = await readFile(new URL(file, this.directory));
      hash.update(`${this.getMigrationName(file)}\0${text.length}\0`).update(text);
    }
    return hash.digest('hex');
  }
}

export const metadataMigrations = new MigrationSource(new URL('../../migrations/metadata/', import.meta.url));
export const resultsMigrations = new MigrationSource(new URL('../../migrations/results/', import.meta.url));
