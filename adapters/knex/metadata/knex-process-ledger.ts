import type {
  ProcessBeat,
  ProcessFacts,
  ProcessLedger,
} from '../../../application/ports/operators/process-ledger.ts';
import { sql, statement, type SqlExecutor } from '../statement.ts';
import { BEAT_COLUMNS, toBeat, writeFacts, type BeatRow } from './process-facts.ts';

const beat = statement<{ instanceId: string; startedAt: Date; facts: string }>('process_beat', (p) =>
  sql.raw(
    `with forgotten as (
       delete from process_beats where beat_at < now() - interval '1 minute' and instance_id <> ?
     )
     insert into process_beats (instance_id, started_at, facts) values (?, ?, ?)
     on conflict (instance_id) do update set beat_at = now(), facts = excluded.facts`,
    [p('instanceId'), p('instanceId'), p('startedAt'), p('facts')],
  ),
);

const leave = statement<{ instanceId: string }>('process_leave', (p) =>
  sql('process_beats').where('instance_id', p('instanceId')).delete(),
);

const list = statement<object, BeatRow>(
  'process_list',
  () => sql.raw(`select ${BEAT_COLUMNS} from process_beats order by started_at, instance_id`),
  { readOnly: true },
);

/** What processes say of themselves. Decision 0051. */
export class KnexProcessLedger implements ProcessLedger {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async beat(instanceId: string, startedAt: Date, facts: ProcessFacts): Promise<void> {
    await this.#executor.query(beat({ instanceId, startedAt, facts: writeFacts(facts) }));
  }

  async leave(instanceId: string): Promise<void> {
    await this.#executor.query(leave({ instanceId }));
  }

  async list(): Promise<readonly ProcessBeat[]> {
    return (await this.#executor.query(list({}))).map(toBeat);
  }
}
