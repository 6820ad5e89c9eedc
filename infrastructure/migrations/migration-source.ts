import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { Knex } from 'knex';

/** The exports of one migration file. */
export interface MigrationModule extends Knex.Migration {
  /** Knex's convention: `{ transaction: false }` is for statements that PostgreSQL refuses to run in a transaction. */
  readonly config?: { readonly transaction?: boolean };
}

/**
 * Lists the migrations of a folder in the order of their names. A migration's name is its file name without the
 * extension, so Knex treats the TypeScript source and the compiled file as one migration.
 */
export class MigrationSource implements Knex.MigrationSource<string> {
  readonly directory: URL;
  readonly #count: number;

  /**
   * @param directory ends with a slash
   * @param count includes only the first `count` migrations; default: all
   */
  constructor(directory: URL, count = Infinity) {
    this.directory = directory;
    this.#count = count;
  }

  /** The source that an earlier release had: the first `count` migrations. */
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

  /** SHA-256 over all names and file texts, in hex. A different hash means that the schema may be different. */
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
