import type {
  InstanceKey,
  InstanceLedger,
  ServiceInstance,
} from '../../application/ports/databases/instance-ledger.ts';
import type { Logger } from '../../application/ports/runtime/logger.ts';
import type { ServerId } from '../../domain/databases/server.ts';
import { DatabaseConnectionError } from '../../domain/exceptions.ts';
import { Periodic, type RunReport } from '../timing/periodic.ts';
import type { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { ConnectionBudget } from '../pools/connection-budget.ts';
import {
  isNamed,
  migrationConnectionName,
  presenceName,
  resultsConnectionName,
} from '../postgres/connection-names.ts';
import { isServerAnswer, isServerFailure } from '../postgres/postgres-errors.ts';
import type { ControlConnection } from './control-connection.ts';
import type { OpenSessions } from './open-sessions.ts';

export interface ConnectionShareDeps {
  readonly instanceId: string;
  readonly serverId: ServerId;
  /** What all processes of the deployment may hold on the server together. */
  readonly serverBudget: number;
  /** What this process may hold: kept to its share. */
  readonly budget: ConnectionBudget;
  readonly ledger: InstanceLedger;
  /** Its connection carries the name by which the other processes see that this one is alive. */
  readonly control: ControlConnection;
  /** Cut when the server stays silent. */
  readonly sessions: OpenSessions;
  readonly serverBreaker: CircuitBreaker;
  readonly metadataBreaker: CircuitBreaker;
  readonly logger: Logger;
}

/** A newcomer has its share after two of them. */
const BEAT_MS = 500;

/**
 * Unanswered questions in a row after which nobody waits for the server any longer: one more than open its circuit, which
 * keeps new requests away. The deadlines of statements would keep those that wait already for half a minute.
 */
const SILENCES_UNTIL_CUT = 3;

/**
 * This process's share of the deployment's connections: the same for all that live, in whole numbers.
 *
 * Shares stand in the metadata database. Nobody's is raised before the others have closed connections and given theirs
 * back. A process that died is known by the server of the results databases, which alone sees whether its connections
 * are gone: so no clock decides, and a process that sleeps or cannot reach the metadata keeps what it has.
 */
export class ConnectionShare {
  readonly #deps: ConnectionShareDeps;
  readonly #beats = new Periodic({
    everyMs: BEAT_MS,
    work: () => this.#heartbeat(),
    onFailure: (error) => this.#deps.logger.write('process.heartbeat_failed', { err: error }),
  });
  #isOpen = false;
  /** The share in the ledger, as far as this process knows. */
  #share = 0;
  /** Questions in a row that the server did not answer. */
  #silences = 0;
  /** The session of the control connection in which the share was confirmed. */
  #confirmedIn: number | null = null;

  constructor(deps: ConnectionShareDeps) {
    this.#deps = deps;
  }

  /** From here on this process opens connections within its share only. */
  async start(): Promise<void> {
    this.#isOpen = true;
    this.#deps.budget.resize(0);
    await this.heartbeat();
    // It may have been closed during the first one.
    if (this.#isOpen) this.#beats.start();
  }

  /** Gives the share back, but for connections that are still open: of those the others see when they are gone. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#beats.close();
    const { budget, ledger } = this.#deps;
    const leaving = budget.taken > 0 ? ledger.heartbeat(this.#key, budget.taken) : ledger.leave(this.#key);
    await leaving.catch((error: unknown) => {
      this.#deps.logger.write('process.share_kept', { err: error });
    });
  }

  get #key(): InstanceKey {
    const { serverId, instanceId } = this.#deps;
    return { serverId, instanceId };
  }

  /** Whether the server left the last question unanswered; false before the first. */
  get isSilent(): boolean {
    return this.#silences > 0;
  }

  get report(): RunReport {
    return this.#beats.report;
  }

  /** One sign of life, and a look at the others. Never rejects. */
  heartbeat(): Promise<void> {
    return this.#beats.run();
  }

  async #heartbeat(): Promise<void> {
    const { control, serverBreaker, metadataBreaker } = this.#deps;
    const silence = await control.query({ text: 'select', values: [] }).then(() => null, causeOf);
    tell(serverBreaker, silence);
    this.#cutWhenSilent(silence);
    if (silence !== null || control.sessions !== this.#confirmedIn) {
      // Whoever saw no connection of this process may have taken its share: no new ones before the ledger says so.
      this.#limit(this.#deps.budget.taken);
    }
    try {
      // A process that the server of the results databases does not see is given up, share and all, if that lasts.
      await (silence !== null ? this.#deps.ledger.raiseShare(this.#key, 0, 0) : this.#settle());
      tell(metadataBreaker, null);
    } catch (error) {
      tell(metadataBreaker, causeOf(error));
      throw error;
    }
  }

  async #settle(): Promise<void> {
    const { instanceId, ledger, serverBudget, control } = this.#deps;
    const session = control.sessions;
    const instances = await this.#tellOthers();
    const live = instances.filter(({ silent }) => !silent);
    const place = live.findIndex((instance) => instance.instanceId === instanceId);
    this.#share = live[place]?.share ?? 0;
    // Silent ones keep what they have, asleep or dying, and get no more.
    const kept = instances.reduce((sum, { share, silent }) => sum + (silent ? share : 0), 0);
    const due = part(Math.max(0, serverBudget - kept), live.length, place);
    if (due < this.#share) {
      // The next sign of life gives back what is closed by then.
      this.#limit(due);
    } else {
      const others = instances.reduce((sum, { share }) => sum + share, -this.#share);
      if (due > this.#share && others + this.#share < serverBudget)
        this.#share = (await ledger.raiseShare(this.#key, due, serverBudget)) ?? 0;
      this.#limit(this.#share);
    }
    this.#confirmedIn = session;
    await this.#reclaimFromDead(instances);
  }

  async #tellOthers(): Promise<readonly ServiceInstance[]> {
    const { instanceId, budget, ledger } = this.#deps;
    const instances = await ledger.heartbeat(this.#key, Math.max(budget.limit, budget.taken));
    const isRecorded = instances.some((instance) => instance.instanceId === instanceId);
    return isRecorded ? instances : ledger.join(this.#key);
  }

  /** Takes back what silent processes no longer use. */
  async #reclaimFromDead(instances: readonly ServiceInstance[]): Promise<void> {
    const silent = instances.filter((instance) => instance.silent);
    if (silent.length === 0) return;
    const names = silent.flatMap(({ instanceId }) => [
      presenceName(instanceId),
      resultsConnectionName(instanceId),
      migrationConnectionName(instanceId),
    ]);
    const rows = await this.#deps.control.ask<{ name: string; connections: number }>({
      text: `select name, count(*)::int as connections
        from unnest($1::text[]) name join pg_stat_activity a on ${isNamed('name')} group by name`,
      values: [names],
    });
    if (rows === null) return;
    const seen = new Map(rows.map(({ name, connections }) => [name, connections]));
    for (const { instanceId, share } of silent) {
      if (seen.has(presenceName(instanceId))) continue;
      const countOf = (name: string): number => seen.get(name) ?? 0;
      const connections =
        countOf(resultsConnectionName(instanceId)) + countOf(migrationConnectionName(instanceId));
      await this.#deps.ledger.reclaimFromDead({ ...this.#key, instanceId }, connections);
      this.#deps.logger.write('process.died', { instance: instanceId, share, connections });
    }
  }

  #cutWhenSilent(silence: unknown): void {
    this.#silences = saysItLives(silence) ? 0 : this.#silences + 1;
    if (this.#silences < SILENCES_UNTIL_CUT) return;
    const { sessions, serverId, logger } = this.#deps;
    const cut = sessions.cutAll();
    if (cut > 0) logger.write('server.connections_cut', { server: serverId, connections: cut });
  }

  #limit(limit: number): void {
    if (this.#deps.budget.limit !== limit) this.#deps.budget.resize(limit);
  }
}

/** The `place`th of `count` parts of the whole, which differ by one at most. */
const part = (whole: number, count: number, place: number): number =>
  Math.floor(whole / count) + (place < whole % count ? 1 : 0);

/** Why a probe has no answer. */
const causeOf = (error: unknown): unknown => (error instanceof DatabaseConnectionError ? error.cause : error);

/** A server that says no lives: it is full, say, with no place for the probe. */
const saysItLives = (failure: unknown): boolean =>
  failure === null || (isServerAnswer(failure) && !isServerFailure(failure));

const tell = (breaker: CircuitBreaker, failure: unknown): void => {
  if (saysItLives(failure)) breaker.succeeded();
  else breaker.failed();
};
