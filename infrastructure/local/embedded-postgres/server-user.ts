import { stat } from 'node:fs/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { runCommand } from './run-command.ts';
import type { SystemUser } from './run-command.ts';

/** Accounts that run the server when root starts it, in order of preference. */
const CANDIDATES = ['postgres', 'nobody'];

const idOf = async (flag: '-u' | '-g', name: string): Promise<number | undefined> => {
  const { status, stdout } = await runCommand('id', [flag, name]);
  // `| 0` makes the id signed: macOS prints -2, the id of nobody, as 4294967294, which `spawn` refuses.
  return status === 0 ? Number(stdout) | 0 : undefined;
};

/**
 * Returns the account to run the server as; undefined means this process's own. PostgreSQL refuses to run as root.
 * For root the account is the cluster's owner, otherwise `postgres`, otherwise `nobody`.
 *
 * @throws {EmbeddedPostgresError} when root finds none of these accounts, or when another user owns the cluster and
 *   this process is not root
 */
export const findServerUser = async (cluster: string): Promise<SystemUser | undefined> => {
  const owner = await stat(cluster).catch(() => undefined);
  const ownUid = process.getuid?.();
  if (ownUid !== 0) {
    if (owner && owner.uid !== ownUid) {
      throw new EmbeddedPostgresError(
        `The PostgreSQL cluster ${cluster} belongs to user ${owner.uid}, but this process runs as user ${ownUid}: ` +
          `start it as that user (or as root), or give the folder to this one.`,
      );
    }
    return undefined;
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  for (const name of CANDIDATES) {
    const uid = await idOf('-u', name);
    const gid = await idOf('-g', name);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and there is no user ${CANDIDATES.join(' or ')} to run it as: ` +
      'start this process as an ordinary user.',
  );
};

/** Whether the user can enter the folder and all its parents. */
export const canEnter = async (user: SystemUser | undefined, directory: string): Promise<boolean> =>
  (await runCommand('/bin/sh', ['-c', 'test -x "$0"', directory], { user })).status === 0;
