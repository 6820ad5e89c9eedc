import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { ResultsUrlTemplate } from '../database/results-url-template.ts';

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
  readonly #urls: ResultsUrlTemplate;

  /** @param secret at least 32 characters, the same in every process */
  constructor(secret: string, urls: ResultsUrlTemplate) {
    this.#secret = secret;
    this.#urls = urls;
  }

  /** Holds the rights on rows; the roles of all databases are its members. */
  get groupRole(): string {
    return this.#urls.internalName('rows.all');
  }

  loginFor(stamp: string): Login {
    return {
      user: this.#urls.internalName(`rows.${stamp.replaceAll('-', '').slice(0, 12)}`),
      password: createHmac('sha256', this.#secret).update(`results database ${stamp}`).digest('base64url'),
    };
  }
}

/**
 * What the server keeps in place of a password, so that the password itself never stands in a statement. One round of
 * hashing: it is as random as a key, more rounds would not protect it, and every connect would pay for them.
 */
export const scramVerifier = (password: string): string => {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, 1, 32, 'sha256');
  const keyed = (label: string): Buffer => createHmac('sha256', salted).update(label).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  return `SCRAM-SHA-256$1:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`;
};
