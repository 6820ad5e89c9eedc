import type { TemplateRecord } from './spare-ledger.ts';

/** Raised when the template that was to be cloned does not exist any longer on the server. */
export class TemplateMissingError extends Error {
  override readonly name = 'TemplateMissingError';
}

/** Raised when a database lacks migrations that it is meant to have: it was copied from a template that was not whole. */
export class MigrationsMissingError extends Error {
  override readonly name = 'MigrationsMissingError';
}

/** The database on one server from which this release clones new ones. */
export interface DatabaseTemplate {
  /** The template, if it is known to stand; null before the first `ready`, and after `invalidate`. Asks nobody. */
  readonly current: TemplateRecord | null;
  /** Builds the template unless it stands already. Safe to call concurrently; a failure is not remembered. */
  ready(): Promise<TemplateRecord>;
  /** Says that the template is gone: the next `ready` looks, and builds it again. */
  invalidate(): void;
  /** Gives the organizations' roles the rights on a database's rows; none on its schema. */
  grantRows(databaseName: string): Promise<void>;
}
