import type {
  BusyOrganization,
  FailingOrganization,
  ProcessBeat,
  ProcessFacts,
  ProcessServer,
} from '../../../application/ports/operators/process-ledger.ts';

/** The check of the column. */
const MAX_BYTES = 2048;

type Busy = [BusyOrganization['organizationId'], rps: number, open: number, waiting: number];
type Failing = [FailingOrganization['organizationId'], code: string, failures: number];
type Server = [
  ProcessServer['serverId'],
  ProcessServer['circuit'],
  open: number,
  share: number,
  waiting: number,
];

/** As they are stored: lists of values take half of the room that objects do. */
interface StoredFacts extends Omit<ProcessFacts, 'busiest' | 'failing' | 'servers'> {
  readonly busiest: readonly Busy[];
  readonly failing: readonly Failing[];
  readonly servers: readonly Server[];
}

/** As JSON of at most 2 KiB. The least busy organizations are left out first, then those that fail, then servers. */
export const writeFacts = (facts: ProcessFacts): string => {
  const busiest = facts.busiest.map(({ organizationId, requestsPerSecond, open, waiting }): Busy => [
    organizationId,
    requestsPerSecond,
    open,
    waiting,
  ]);
  const failing = facts.failing.map(({ organizationId, code, failures }): Failing => [
    organizationId,
    code,
    failures,
  ]);
  const servers = facts.servers.map(({ serverId, circuit, open, share, waiting }): Server => [
    serverId,
    circuit,
    open,
    share,
    waiting,
  ]);
  const stored: StoredFacts = { ...facts, servers, failing, busiest };
  for (;;) {
    const text = JSON.stringify(stored);
    if (Buffer.byteLength(text) <= MAX_BYTES) return text;
    const shortened = [busiest, failing, servers].find((list) => list.length > 0);
    if (shortened === undefined) throw new Error('the facts of a process do not fit');
    shortened.pop();
  }
};

export interface BeatRow {
  readonly instance_id: string;
  /** In milliseconds since 1970. */
  readonly started_ms: number;
  readonly beat_ms: number;
  readonly age_seconds: number;
  readonly facts: string;
}

/** Columns of a beat; `json_agg` would turn moments into texts. */
export const BEAT_COLUMNS = `instance_id, facts,
  (extract(epoch from started_at) * 1000)::float8 as started_ms, (extract(epoch from beat_at) * 1000)::float8 as beat_ms,
  greatest(0, extract(epoch from now() - beat_at))::float8 as age_seconds`;

export const toBeat = (row: BeatRow): ProcessBeat => {
  // `writeFacts` is the only writer.
  const facts = JSON.parse(row.facts) as StoredFacts;
  return {
    ...facts,
    servers: facts.servers.map(([serverId, circuit, open, share, waiting]) => ({
      serverId,
      circuit,
      open,
      share,
      waiting,
    })),
    busiest: facts.busiest.map(([organizationId, requestsPerSecond, open, waiting]) => ({
      organizationId,
      requestsPerSecond,
      open,
      waiting,
    })),
    failing: facts.failing.map(([organizationId, code, failures]) => ({ organizationId, code, failures })),
    instanceId: row.instance_id,
    startedAt: new Date(row.started_ms),
    beatAt: new Date(row.beat_ms),
    ageSeconds: row.age_seconds,
  };
};
