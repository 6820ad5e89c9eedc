import { createHash } from 'node:crypto';
import type { AuditChains, ChainHead, ChainReport } from '../../../application/ports/audit/audit-chains.ts';
import { chainedText } from '../../../domain/audit/audit-chain.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { sql, statement, type SqlDatabase, type SqlExecutor } from '../statement.ts';

/** The entries that concern no organization form the chain ''. */
type Chain = OrganizationId | '';

interface EntryRow {
  /** A bigint, which the driver gives as text. */
  readonly position: string;
  readonly audit_id: string;
  readonly org_id: string | null;
  readonly user_id: string | null;
  readonly action: string;
  readonly entity_type: string;
  readonly entity_id: string;
  readonly details: string;
  readonly request_id: string | null;
  readonly address: string | null;
  readonly time: string | null;
  readonly entry_hash: string;
}

/** What the database says of a chain. */
interface LinkRow {
  /** Null without a last link. A bigint, which the driver gives as text. */
  readonly length: string | null;
  readonly head: string | null;
  readonly trail_began: boolean;
}

/** As many entries as are held in memory at once. */
const PAGE = 500;

const listChains = statement<object, { chain: Chain }>('audit_list_chains', () =>
  sql.raw(
    `select chain from audit_chains union select coalesce(org_id, '') from audit_logs
     union select org_id from organizations`,
  ),
);

// A chain is read page by page, while entries are added to it.
const readSnapshot = statement<object>('audit_read_snapshot', () =>
  sql.raw('set transaction isolation level repeatable read, read only'),
);

const readLink = statement<{ chain: string }, LinkRow>('audit_read_link', (p) =>
  sql.raw(
    `select length, pg_catalog.encode(head, 'hex') as head, coalesce(trail_began, false) as trail_began
     from (values (?::text)) as asked (chain)
     left join audit_chains using (chain) left join organizations on org_id = asked.chain`,
    [p('chain')],
  ),
);

// Besides casts it uses functions of PostgreSQL itself alone: nobody but a superuser can replace those.
const ENTRIES = `select position, audit_id, org_id, user_id, action, entity_type, entity_id, details::text, request_id, address,
    pg_catalog.to_char(ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as time,
    pg_catalog.encode(entry_hash, 'hex') as entry_hash
  from audit_logs`;
const PAGED = `and position > ?::bigint order by position limit ${PAGE}`;

const readEntries = statement<{ chain: string; after: string }, EntryRow>('audit_read_entries', (p) =>
  sql.raw(`${ENTRIES} where org_id = ? ${PAGED}`, [p('chain'), p('after')]),
);
const readPlatformEntries = statement<{ after: string }, EntryRow>('audit_read_platform_entries', (p) =>
  sql.raw(`${ENTRIES} where org_id is null ${PAGED}`, [p('after')]),
);

/** Computes the links of the audit trail again. Decisions 0015 and 0037. */
export class KnexAuditChains implements AuditChains {
  readonly #database: SqlDatabase;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  async verify(
    organizationId: OrganizationId | null,
    kept: readonly ChainHead[] = [],
  ): Promise<readonly ChainReport[]> {
    const known = await this.#database.query(listChains({}));
    const chains = new Set([...known.map(({ chain }) => chain), ...kept.map(chainOf)]);
    if (organizationId !== null && !chains.has(organizationId)) throw new OrganizationNotFoundError();
    const asked = organizationId === null ? [...chains].toSorted() : [organizationId];
    const reports: ChainReport[] = [];
    for (const chain of asked) {
      const heads = kept.filter((head) => chainOf(head) === chain);
      reports.push(await this.#database.transaction((executor) => verifyChain(executor, chain, heads)));
    }
    return reports;
  }
}

const chainOf = ({ organizationId }: ChainHead): Chain => organizationId ?? '';

const verifyChain = async (
  executor: SqlExecutor,
  chain: Chain,
  kept: readonly ChainHead[],
): Promise<ChainReport> => {
  await executor.query(readSnapshot({}));
  const [link] = await executor.query(readLink({ chain }));
  if (link === undefined) throw new Error('a row of values without a row');
  let head = '';
  let entries = 0;
  let broken: ChainReport['broken'] = null;
  for await (const row of allEntries(executor, chain)) {
    entries += 1;
    // The rest is only counted.
    if (broken !== null) continue;
    head = hashOf(head, row);
    broken = breakAt(row, head, kept.find((each) => each.entries === entries)?.head ?? null);
  }
  broken ??= breakAtEnd(link, { entries, head }, kept);
  return {
    organizationId: chain === '' ? null : chain,
    entries,
    head: broken !== null || head === '' ? null : head,
    broken,
  };
};

async function* allEntries(executor: SqlExecutor, chain: Chain): AsyncGenerator<EntryRow> {
  let after = '-1';
  for (;;) {
    const rows = await executor.query(
      chain === '' ? readPlatformEntries({ after }) : readEntries({ chain, after }),
    );
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.position;
  }
}

const hashOf = (previous: string, row: EntryRow): string =>
  createHash('sha256')
    .update(previous, 'hex')
    .update(
      chainedText({
        position: row.position,
        auditId: row.audit_id,
        organizationId: row.org_id,
        userId: row.user_id,
        action: row.action,
        entityType: row.entity_type,
        entityId: row.entity_id,
        details: row.details,
        requestId: row.request_id,
        address: row.address,
        time: row.time,
      }),
    )
    .digest('hex');

const breakAt = (row: EntryRow, hash: string, kept: string | null): ChainReport['broken'] => {
  const at = { auditId: row.audit_id, position: row.position };
  if (row.entry_hash !== hash) {
    return { ...at, reason: 'it was changed, or an entry before it was changed, added or removed' };
  }
  if (kept === null || kept === hash) return null;
  return { ...at, reason: 'it has another hash than the head that was kept: the chain was written anew' };
};

const breakAtEnd = (
  { length, head: stored, trail_began: began }: LinkRow,
  { entries, head }: { readonly entries: number; readonly head: string },
  kept: readonly ChainHead[],
): ChainReport['broken'] => {
  const reason = reasonAtEnd();
  return reason === null ? null : { auditId: null, position: null, reason };

  function reasonAtEnd(): string | null {
    const once = Math.max(0, ...kept.map((each) => each.entries));
    if (entries < once) return `the chain had ${once} entries when its head was kept, and has ${entries}`;
    if (length === null && entries > 0) return 'the last link of the chain is missing';
    if (length === null && began) return 'the whole chain is gone: the organization has had entries';
    if ((stored ?? '') === head && Number(length ?? 0) === entries) return null;
    return `the chain had ${length ?? 0} entries and has ${entries}: its end is not the one that was written`;
  }
};
