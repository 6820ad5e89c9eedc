import type { AuditChains, ChainReport } from '../../../application/ports/audit/audit-chains.ts';
import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { dynamicQuery, sql, statement, type SqlExecutor, type SqlQuery } from '../statement.ts';

interface ChainRow {
  /** As the last link says; null when there is none. A bigint, which the driver gives as text. */
  readonly length: string | null;
  readonly head: string | null;
  readonly entries: string;
  readonly last_hash: string | null;
  readonly broken_id: string | null;
  readonly broken_position: string | null;
}

const listChains = statement<object, { chain: OrganizationId | '' }>('audit_list_chains', () =>
  sql.raw(`select chain from audit_chains union select coalesce(org_id, '') from audit_logs order by 1`),
);

/** The server computes a chain in one statement, so entries that are added meanwhile do not disturb it. */
const verify = (chain: OrganizationId | ''): SqlQuery<ChainRow> =>
  dynamicQuery(
    sql.raw(
      `with links as (
         select position, audit_id, entry_hash, entry_hash is distinct from audit_entry_hash(
           coalesce(lag(entry_hash) over (order by position), ''), entry
         ) as is_broken
         from audit_logs entry where ${chain === '' ? "org_id is null and '' = ?" : 'org_id = ?'}
       ), first_broken as (
         select position, audit_id from links where is_broken order by position limit 1
       )
       select (select count(*) from links) as entries,
         (select encode(entry_hash, 'hex') from links order by position desc limit 1) as last_hash,
         (select position from first_broken) as broken_position,
         (select audit_id from first_broken) as broken_id,
         (select length from audit_chains where chain = ?) as length,
         (select encode(head, 'hex') from audit_chains where chain = ?) as head`,
      [chain, chain, chain],
    ),
  );

const toReport = (chain: OrganizationId | '', row: ChainRow): ChainReport => ({
  organizationId: chain === '' ? null : chain,
  entries: Number(row.entries),
  head: row.head,
  broken: breakOf(row),
});

const breakOf = (row: ChainRow): ChainReport['broken'] => {
  if (row.broken_position !== null) {
    return {
      auditId: row.broken_id,
      position: row.broken_position,
      reason: 'it was changed, or an entry before it was changed, added or removed',
    };
  }
  if (row.head === row.last_hash && row.length === row.entries) return null;
  const reason =
    row.length === null
      ? 'the last link of the chain is missing'
      : `the chain had ${row.length} entries and has ${row.entries}: its end is not the one that was written`;
  return { auditId: null, position: null, reason };
};

/** Computes the links of the audit trail again. Decision 0015. */
export class KnexAuditChains implements AuditChains {
  readonly #executor: SqlExecutor;

  constructor(executor: SqlExecutor) {
    this.#executor = executor;
  }

  async verify(organizationId: OrganizationId | null): Promise<readonly ChainReport[]> {
    const chains =
      organizationId === null
        ? (await this.#executor.query(listChains({}))).map(({ chain }) => chain)
        : [organizationId];
    const reports: ChainReport[] = [];
    for (const chain of chains) {
      const [row] = await this.#executor.query(verify(chain));
      if (row !== undefined) reports.push(toReport(chain, row));
    }
    return reports;
  }
}
