import { withDeadline } from '../timing/with-deadline.ts';
import { PooledSessionError } from './postgres-errors.ts';
import type { ServerAddress } from './server-address.ts';

/** A session, as far as this check uses one. */
interface AskedSession {
  query(query: { readonly text: string; readonly values: readonly [] }): Promise<readonly { pid: number }[]>;
  execute(text: string): Promise<string>;
  close(): Promise<void>;
}

/** A pooler in session mode may have no connection left for the second session. */
const DEADLINE_MS = 1000;

/** Poolers that gave each session a server connection of its own. */
const inSessionMode = new WeakSet<readonly ServerAddress[]>();

/**
 * Makes sure that a pooler keeps one server connection for each session. In transaction mode it gives the connection to
 * somebody else after each transaction: a second session gets the one that the first has just used, or the first gets
 * another one meanwhile.
 *
 * @param openAnother opens a session as the first one was opened
 * @throws {PooledSessionError} in transaction mode
 */
export const assertSessionMode = async (
  servers: readonly ServerAddress[],
  first: AskedSession,
  openAnother: () => Promise<AskedSession>,
): Promise<void> => {
  if (inSessionMode.has(servers)) return;
  const before = await processOf(first);
  const second = await openAnother();
  try {
    // Kept by a transaction: the first session cannot have it.
    const other = await withDeadline(
      second.execute('begin').then(() => processOf(second)),
      DEADLINE_MS,
    ).catch(() => null);
    if (other === before || (await processOf(first)) !== before) throw new PooledSessionError('transaction');
    inSessionMode.add(servers);
  } finally {
    await second.close();
  }
};

const processOf = async (session: AskedSession): Promise<number | undefined> => {
  const [row] = await session.query({ text: 'select pg_backend_pid() as pid', values: [] });
  return row?.pid;
};
