import type { SpareDatabase } from './provisioning-ledger.ts';

/** How many spares are wanted. */
export interface SpareDemand {
  /** Kept always. */
  readonly min: number;
  /** Never exceeded, whatever the demand. */
  readonly max: number;
}

/** A template that a release clones from. */
export interface TemplateRecord {
  readonly hash: string;
  readonly databaseName: string;
  readonly schemaVersion: number;
}

/** The book of databases made ahead of need, shared by all processes. Only one process at a time builds and drops. */
export interface SpareLedger {
  /** Says that a running process clones from this template. */
  touchTemplate(template: TemplateRecord): Promise<void>;
  /**
   * The spare to build next: one that another process left unfinished, or `fresh`, written down before it is built.
   * Null when there are enough: as many as organizations came in the last minutes, between `min` and `max`.
   */
  plan(fresh: SpareDatabase, demand: SpareDemand): Promise<SpareDatabase | null>;
  /** Lets organizations claim it. */
  markReady(spareId: string): Promise<void>;
  /**
   * Takes spares out of reach and returns them, for dropping: those of templates that no process has used for a while,
   * those beyond the demand of the last hour, and those that are out of reach and nobody has forgotten yet.
   */
  retireStale(current: TemplateRecord, demand: SpareDemand): Promise<readonly SpareDatabase[]>;
  forget(spareId: string): Promise<void>;
  /** Takes a spare that cannot be finished out of reach. */
  retire(spareId: string): Promise<void>;
  /** Templates that no process has used for a while and no spare or claim refers to. */
  listUnusedTemplates(current: TemplateRecord): Promise<readonly TemplateRecord[]>;
  /** False, and nothing is changed, when a process has used it meanwhile. */
  forgetUnusedTemplate(hash: string): Promise<boolean>;
  /** Spares that can be claimed now, of any template. */
  countReady(): Promise<number>;
  /** Ids of all spares on the books, whatever their state. */
  listIds(): Promise<readonly string[]>;
  /** Names of all spares and templates on the books, whatever their state. */
  listNames(): Promise<readonly string[]>;
}
