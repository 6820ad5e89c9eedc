import { createHmac } from 'node:crypto';
import type { DatabaseNames } from '../../domain/databases/database-names.ts';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * The role that may read and write the rows of one database and connect to no other of this service. (To `postgres` and
 * `template1` it may where the server lets everybody; it finds no rows of ours there.) Its password is derived from
 * the database's stamp, which is new for each database and generation, and stored nowhere.
 */
export class OrganizationLogins {
  readonly #secret: string;
  readonly #otherSecret: string | null;
  readonly #names: DatabaseNames;

  /**
   * @param secret at least 32 characters, the same in every process; new roles get their passwords from it
   * @param otherSecret while secrets are rotated: roles may still, or already, have their passwords from this one
   */
  constructor(secret: string, otherSecret: string | null, names: DatabaseNames) {
    this.#secret = secret;
    this.#otherSecret = otherSecret;
    this.#names = names;
  }

  /** Holds the rights on rows; the roles of all databases are its members. */
  get groupRole(): string {
    return this.#names.groupRole;
  }

  /** What the role is given, now and here. */
  loginFor(stamp: string): Login {
    return this.#loginFrom(this.#secret, stamp);
  }

  /** What the role may have been given, here or in a process with other secrets; the likeliest first. */
  loginsFor(stamp: string): readonly Login[] {
    const secrets = this.#otherSecret === null ? [this.#secret] : [this.#secret, this.#otherSecret];
    return secrets.map((secret) => this.#loginFrom(secret, stamp));
  }

  #loginFrom(secret: string, stamp: string): Login {
    return {
      user: this.#names.role(stamp),
      password: createHmac('sha256', secret).update(`results database ${stamp}`).digest('base64url'),
    };
  }
}
