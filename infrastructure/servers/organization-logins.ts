import { createHmac, scryptSync } from 'node:crypto';
import type { DatabaseNames } from '../../domain/databases/database-names.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface OrganizationLoginsOptions {
  /** At least 32 characters, the same in every process. New roles get their passwords from it. */
  readonly secret: string;
  /** While secrets are rotated: roles may still, or already, have their passwords from this one. */
  readonly otherSecret: string | null;
  readonly names: DatabaseNames;
  /** Most sessions of one role at a time, in all processes together. */
  readonly connectionLimit: number;
}

/**
 * The role that may read and write the rows of one database and connect to no other of this service. (To `postgres` and
 * `template1` it may where the server lets everybody; it finds nothing of ours there, not even a lock.) Its password is
 * derived from the database's stamp, which is new for each database and generation, and stored nowhere.
 */
export class OrganizationLogins {
  readonly #options: OrganizationLoginsOptions;
  readonly #marks = new Map<string, string>();

  constructor(options: OrganizationLoginsOptions) {
    this.#options = options;
  }

  get connectionLimit(): number {
    return this.#options.connectionLimit;
  }

  /** Holds the rights on rows; the roles of all databases are its members. */
  get groupRole(): string {
    return this.#options.names.groupRole;
  }

  /** What the comment of a role says of the secret from which it has its password, now and here. */
  get mark(): string {
    return this.#markOf(this.#options.secret);
  }

  /** What the role is given, now and here. */
  loginFor(stamp: string): Login {
    return this.#loginFrom(this.#options.secret, stamp);
  }

  /** What the role may have been given, here or in a process with other secrets; the likeliest first. */
  loginsFor(stamp: string): readonly Login[] {
    return this.#secrets.map((secret) => this.#loginFrom(secret, stamp));
  }

  /** As `loginsFor`, each with the comment that a role has which was given it. */
  markedLoginsFor(stamp: string): readonly { readonly login: Login; readonly mark: string }[] {
    return this.#secrets.map((secret) => ({
      login: this.#loginFrom(secret, stamp),
      mark: this.#markOf(secret),
    }));
  }

  get #secrets(): readonly string[] {
    const { secret, otherSecret } = this.#options;
    return otherSecret === null ? [secret] : [secret, otherSecret];
  }

  #loginFrom(secret: string, stamp: string): Login {
    return {
      user: this.#options.names.role(stamp),
      password: createHmac('sha256', secret).update(`results database ${stamp}`).digest('base64url'),
    };
  }

  #markOf(secret: string): string {
    const known = this.#marks.get(secret);
    if (known !== undefined) return known;
    // All who log in to the server can read it: four bytes, dear to compute, tell secrets apart and confirm no guess.
    const digest = scryptSync(secret, 'mad: the mark of a secret', 4, { N: 4096 }).toString('hex');
    const mark = `password set from secret ${digest}`;
    this.#marks.set(secret, mark);
    return mark;
  }
}
