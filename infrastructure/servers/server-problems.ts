import type { Logger } from '../../application/ports/runtime/logger.ts';
import {
  SERVER_PROBLEM_TEXTS,
  SERVER_PROBLEMS,
  type ServerId,
  type ServerProblem,
} from '../../domain/databases/server.ts';
import { DatabaseConnectionError, DatabaseProvisioningError } from '../../domain/exceptions.ts';
import { CircuitBreaker } from '../pools/circuit-breaker.ts';
import type { PgConnection } from '../postgres/pg-connection.ts';
import { SqlState, sqlStateOf } from '../postgres/postgres-errors.ts';

export interface ServerProblemsOptions {
  readonly serverId: ServerId;
  readonly hasRoles: boolean;
  readonly logger: Logger;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** What the server's errors say about the server itself, whatever statement met them. */
const OF_THE_MACHINE: Readonly<Record<string, ServerProblem>> = {
  [SqlState.diskFull]: 'disk_full',
  [SqlState.ioError]: 'io_error',
};

/** Nobody tells when a disk has room again: the errors stay away. */
const REMEMBERED_MS = 60_000;

/** Once may be an accident. After that each attempt that the server refuses doubles the time until the next one. */
const BACK_OFF = { threshold: 2, minDelayMs: 1000, maxDelayMs: 30_000 };

/** The problem that it is to lack the right. */
export type Right = 'cannot_create_databases' | 'cannot_create_roles';

/**
 * What is wrong with a server that answers: rights that its login lacks, a full disk. While it refuses to make databases,
 * new ones are tried ever more seldom, not once for each request. Decision 0040.
 */
export class ServerProblems {
  readonly #options: ServerProblemsOptions;
  readonly #creation = new CircuitBreaker(BACK_OFF);
  /** When each was met last. Rights that are missing stay missing until a look or a success. */
  readonly #seen = new Map<ServerProblem, number>();
  #lastError: unknown = null;

  constructor(options: ServerProblemsOptions) {
    this.#options = options;
  }

  get current(): readonly ServerProblem[] {
    return SERVER_PROBLEMS.filter((problem) => {
      const seenAt = this.#seen.get(problem);
      return seenAt !== undefined && (isRight(problem) || this.#options.now() - seenAt < REMEMBERED_MS);
    });
  }

  /** Why no database can be made there now; null when one may be tried. */
  get refusal(): DatabaseConnectionError | null {
    if (this.#creation.allows) return null;
    const reasons = this.current.map((problem) => SERVER_PROBLEM_TEXTS[problem]);
    return new DatabaseConnectionError(
      `No database can be made on the server "${this.#options.serverId}" now: ${reasons.join(', ')}.`,
      this.#lastError,
      this.#creation.retryInMs,
    );
  }

  /** Call it for every error that the server sends. */
  noteError(error: unknown): void {
    const problem = OF_THE_MACHINE[sqlStateOf(error) ?? ''];
    if (problem !== undefined) this.#found(problem);
  }

  /** Looks whether the login has the rights that the service needs. Never rejects. */
  async lookAtRights(connection: PgConnection): Promise<void> {
    const rights = await connection
      .query<{ databases: boolean; roles: boolean }>({
        text: `select rolsuper or rolcreatedb as databases, rolsuper or rolcreaterole as roles
               from pg_roles where rolname = current_user`,
        values: [],
      })
      .catch(() => []);
    for (const { databases, roles } of rights) {
      this.#judge('cannot_create_databases', databases);
      this.#judge('cannot_create_roles', roles || !this.#options.hasRoles);
    }
  }

  /**
   * Runs what creates a database or a role.
   *
   * @throws {DatabaseProvisioningError} when the login lacks the right
   */
  async creating<Result>(
    right: Right,
    connection: PgConnection,
    create: () => Promise<Result>,
  ): Promise<Result> {
    try {
      const result = await create();
      this.#creation.succeeded();
      this.#seen.delete(right);
      return result;
    } catch (error) {
      // What is refused may also be this one database, which is another owner's.
      if (sqlStateOf(error) === SqlState.insufficientPrivilege) await this.lookAtRights(connection);
      this.noteError(error);
      const isMissing = this.current.includes(right);
      if (!isMissing && OF_THE_MACHINE[sqlStateOf(error) ?? ''] === undefined) throw error;
      this.#lastError = error;
      this.#creation.failed();
      throw isMissing ? new DatabaseProvisioningError(this.#advice(right), error) : error;
    }
  }

  #judge(right: Right, isThere: boolean): void {
    if (!isThere) return this.#found(right);
    if (this.#seen.delete(right)) this.#creation.succeeded();
  }

  #found(problem: ServerProblem): void {
    const { serverId, logger, now } = this.#options;
    const isNew = !this.current.includes(problem);
    this.#seen.set(problem, now());
    if (isNew)
      logger.write(
        'server.problem',
        { server: serverId, problem },
        { level: 'error', message: this.#advice(problem) },
      );
  }

  #advice(problem: ServerProblem): string {
    const { serverId } = this.#options;
    const fact = `The server "${serverId}" answers, and ${SERVER_PROBLEM_TEXTS[problem]}`;
    return isRight(problem) ? `${fact}: see "npm run cli -- servers check ${serverId}".` : `${fact}.`;
  }
}

const isRight = (problem: ServerProblem): problem is Right =>
  problem === 'cannot_create_databases' || problem === 'cannot_create_roles';
