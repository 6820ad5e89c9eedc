import type { Knex } from 'knex';
import type {
  InstanceKey,
  InstanceLedger,
  ServiceInstance,
} from '../../../application/ports/databases/instance-ledger.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

/** Several times the pause between two heartbeats. */
const SILENT_AFTER = `interval '2 seconds'`;

type Key = { readonly [Name in keyof InstanceKey]: string };

interface InstanceRow {
  readonly instance_id: string;
  readonly share: number;
  readonly silent: boolean;
}

// A statement does not see its own insert or update, so it joins them to the rows that were there before.
const join = statement<Key, InstanceRow>('instance_join', (p) =>
  sql.raw(
    `with mine as (
       insert into connection_shares (server_id, instance_id) values (?, ?) on conflict do nothing
       returning instance_id, share, started_at)
     select instance_id, share, false as silent, started_at from mine
     union all
     select instance_id, share, heartbeat_at < now() - ${SILENT_AFTER}, started_at
     from connection_shares where server_id = ?
     order by started_at, instance_id`,
    [p('serverId'), p('instanceId'), p('serverId')],
  ),
);

const heartbeat = statement<Key & { atMost: number }, InstanceRow>('instance_heartbeat', (p) =>
  sql.raw(
    `with mine as (
       update connection_shares set heartbeat_at = now(), share = least(share, ?)
       where server_id = ? and instance_id = ? returning instance_id, share)
     select i.instance_id, coalesce(mine.share, i.share) as share,
         mine.share is null and i.heartbeat_at < now() - ${SILENT_AFTER} as silent
       from connection_shares i left join mine using (instance_id)
       where i.server_id = ?
       order by i.started_at, i.instance_id`,
    [p('atMost'), p('serverId'), p('instanceId'), p('serverId')],
  ),
);

const raiseShare = statement<Key & { wanted: number; budget: number }, { share: number | null }>(
  'instance_raise_share',
  (p) =>
    sql.raw('select raise_connection_share(?, ?, ?, ?) as share', [
      p('serverId'),
      p('instanceId'),
      p('wanted'),
      p('budget'),
    ]),
);

const ofSilent = (p: (key: 'serverId' | 'instanceId') => Knex.Value): Knex.QueryBuilder =>
  sql('connection_shares')
    .where({ server_id: p('serverId'), instance_id: p('instanceId') })
    .where('heartbeat_at', '<', sql.raw(`now() - ${SILENT_AFTER}`));

const forget = statement<Key>('instance_forget', (p) => ofSilent(p).delete());

const shrink = statement<Key & { share: number }>('instance_shrink', (p) =>
  ofSilent(p).update({ share: sql.raw('least(share, ?)', [p('share')]) }),
);

const leave = statement<Key>('instance_leave', (p) =>
  sql('connection_shares')
    .where({ server_id: p('serverId'), instance_id: p('instanceId') })
    .delete(),
);

/** How live processes divide the connections of each server. Decision 0005. */
export class KnexInstanceLedger implements InstanceLedger {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async join(key: InstanceKey): Promise<readonly ServiceInstance[]> {
    return (await this.#executor.query(join(key))).map(toInstance);
  }

  async heartbeat(key: InstanceKey, atMost: number): Promise<readonly ServiceInstance[]> {
    return (await this.#executor.query(heartbeat({ ...key, atMost }))).map(toInstance);
  }

  async raiseShare(key: InstanceKey, wanted: number, budget: number): Promise<number | null> {
    const [row] = await this.#executor.query(raiseShare({ ...key, wanted, budget }));
    return row?.share ?? null;
  }

  async reclaimFromDead(key: InstanceKey, connections: number): Promise<void> {
    await this.#executor.query(connections === 0 ? forget(key) : shrink({ ...key, share: connections }));
  }

  async leave(key: InstanceKey): Promise<void> {
    await this.#executor.query(leave(key));
  }
}

const toInstance = ({ instance_id: instanceId, share, silent }: InstanceRow): ServiceInstance => ({
  instanceId,
  share,
  silent,
});
