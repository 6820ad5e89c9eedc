import type { ServerId } from '../../../domain/databases/server.ts';
import type { SpareDemand } from '../../../domain/databases/spare-demand.ts';
import type { SpareDatabase } from './provisioning-ledger.ts';

/** A template that a release clones from. */
export interface TemplateRecord {
  /** Of what the template is made of, for whom, and on which server. */
  readonly hash: string;
  readonly serverId: ServerId;
  readonly databaseName: string;
  readonly schemaVersion: number;
}

/**
 * The metadata database's list of databases that are made ahead of need. All processes share it. One process at a time
 * calls `plan` and `discardStale`: two would each find the same spare missing, and both build it.
 */
export interface SpareLedger {
  /** Records that a running process clones from this template. */
  touchTemplate(template: TemplateRecord): Promise<void>;
  /**
   * Returns the spare to build next: one that another process left unfinished, or `fresh`, which is recorded before it is
   * built. Null when `demand` and the newcomers of the last minutes ask for no further one.
   */
  plan(fresh: SpareDatabase, demand: SpareDemand): Promise<SpareDatabase | null>;
  /** Lets organizations claim the spare. */
  markReady(spareId: string): Promise<void>;
  /**
   * Takes spares out of reach of claims, and returns them so that the caller drops them: those of templates that no process
   * has used for a while, those beyond the demand of the last hour, and those that an earlier call returned and no caller
   * has forgotten yet.
   */
  discardStale(current: TemplateRecord, demand: SpareDemand): Promise<readonly SpareDatabase[]>;
  /** Removes the record of a spare that is dropped. */
  forget(spareId: string): Promise<void>;
  /** Takes a spare that cannot be finished out of reach of claims. */
  discard(spareId: string): Promise<void>;
  /** Lists templates on the same server that no process has used for a while, and that no spare or claim refers to. */
  listUnusedTemplates(current: TemplateRecord): Promise<readonly TemplateRecord[]>;
  /** Removes the record of a template. False, and nothing is changed, when a process has used it meanwhile. */
  forgetUnusedTemplate(hash: string): Promise<boolean>;
  /** Counts the spares that can be claimed now, of any template. */
  countReady(): Promise<ReadonlyMap<ServerId, number>>;
  /** Lists all recorded spares, whatever their state. */
  list(): Promise<readonly SpareDatabase[]>;
  /** Lists the database names of all recorded spares and templates on all servers, whatever their state. */
  listNames(): Promise<readonly string[]>;
}
