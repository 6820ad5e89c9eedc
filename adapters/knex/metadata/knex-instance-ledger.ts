import type {
  InstanceLedger,
  ServiceInstance,
} from '../../../application/ports/databases/instance-ledger.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';

/** Several times the pause between two signs of life. */
const SILENT_AFTER = `interval '2 seconds'`;

interface InstanceRow {
  readonly instance_id: string;
  readonly share: number;
  readonly silent: boolean;
}

// A statement does not see its own insert or update: they are joined to what was there before.
const join = statement<{ instanceId: string }, InstanceRow>('instance_join', (p) =>
  sql.raw(
    `with mine as (insert into service_instances (instance_id) values (?) on conflict do nothing returning instance_id, share, started_at)
     select instance_id, share, false as silent, started_at from mine
     union all
     select instance_id, share, heartbeat_at < now() - ${SILENT_AFTER}, started_at from service_instances
     order by started_at, instance_id`,
    [p('instanceId')],
  ),
);

const beat = statement<{ instanceId: string; atMost: number }, InstanceRow>('instance_beat', (p) =>
  sql.raw(
    `with mine as (
       update service_instances set heartbeat_at = now(), share = least(share, ?) where instance_id = ?
         returning instance_id, share)
     select i.instance_id, coalesce(mine.share, i.share) as share,
         mine.share is null and i.heartbeat_at < now() - ${SILENT_AFTER} as silent
       from service_instances i left join mine using (instance_id)
       order by i.started_at, i.instance_id`,
    [p('atMost'), p('instanceId')],
  ),
);

const claim = statement<{ instanceId: string; wanted: number; budget: number }, { share: number | null }>(
  'instance_claim',
  (p) =>
    sql.raw('select claim_connection_share(?, ?, ?) as share', [p('instanceId'), p('wanted'), p('budget')]),
);

const forget = statement<{ instanceId: string }>('instance_forget', (p) =>
  sql('service_instances')
    .where('instance_id', p('instanceId'))
    .where('heartbeat_at', '<', sql.raw(`now() - ${SILENT_AFTER}`))
    .delete(),
);

const shrink = statement<{ instanceId: string; share: number }>('instance_shrink', (p) =>
  sql('service_instances')
    .where('instance_id', p('instanceId'))
    .where('heartbeat_at', '<', sql.raw(`now() - ${SILENT_AFTER}`))
    .update({ share: sql.raw('least(share, ?)', [p('share')]) }),
);

const leave = statement<{ instanceId: string }>('instance_leave', (p) =>
  sql('service_instances').where('instance_id', p('instanceId')).delete(),
);

export class KnexInstanceLedger implements InstanceLedger {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async join(instanceId: string): Promise<readonly ServiceInstance[]> {
    return (await this.#executor.query(join({ instanceId }))).map(toInstance);
  }

  async beat(instanceId: string, atMost: number): Promise<readonly ServiceInstance[]> {
    return (await this.#executor.query(beat({ instanceId, atMost }))).map(toInstance);
  }

  async claim(instanceId: string, wanted: number, budget: number): Promise<number | null> {
    const [row] = await this.#executor.query(claim({ instanceId, wanted, budget }));
    return row?.share ?? null;
  }

  async reclaim(instanceId: string, connections: number): Promise<void> {
    await this.#executor.query(
      connections === 0 ? forget({ instanceId }) : shrink({ instanceId, share: connections }),
    );
  }

  async leave(instanceId: string): Promise<void> {
    await this.#executor.query(leave({ instanceId }));
  }
}

const toInstance = ({ instance_id: instanceId, share, silent }: InstanceRow): ServiceInstance => ({
  instanceId,
  share,
  silent,
});
