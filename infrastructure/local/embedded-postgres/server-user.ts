import { stat } from 'node:fs/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error.ts';
import { runCommand } from './run-command.ts';
import type { SystemUser } from './run-command.ts';

/** Accounts that may run the server for root, the best first. */
const CANDIDATES = ['postgres', 'nobody'];

const idOf = async (flag: '-u' | '-g', name: string): Promise<number | undefined> => {
  const { status, stdout } = await runCommand('id', [flag, name]);
  // `| 0` because macOS writes the ids of nobody (-2) as 4294967294, which spawn does not take.
  return status === 0 ? Number(stdout) | 0 : undefined;
};

/**
 * The account the server runs as: undefined means our own. PostgreSQL refuses to run as root, so root hands over to
 * whoever owns the cluster already, else to `postgres`, else to `nobody`.
 *
 * @throws EmbeddedPostgresError when root finds none of these accounts, or the cluster belongs to another user
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

/** Whether that user can enter the folder: true only if every folder above lets it pass. */
export const canEnter = async (user: SystemUser | undefined, directory: string): Promise<boolean> =>
  (await runCommand('/bin/sh', ['-c', 'test -x "$0"', directory], { user })).status === 0;
