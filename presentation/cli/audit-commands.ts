import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ChainHead, ChainReport } from '../../application/ports/audit/audit-chains.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { EXIT, examples, type CommandContext } from './command-context.ts';
import { organization } from './organization-arguments.ts';

/** What the commands on the audit trail act on. */
export interface AuditCommandDependencies {
  verifyAudit(
    organizationId: OrganizationId | null,
    kept: readonly ChainHead[],
  ): Promise<readonly ChainReport[]>;
}

interface Options {
  readonly org?: OrganizationId;
  readonly against?: string;
  readonly json: boolean;
}

export const addAuditCommands = (
  program: Command,
  { open, print, exitWith }: CommandContext<AuditCommandDependencies>,
): void => {
  const audit = program.command('audit').description('the audit trail');
  audit
    .command('verify')
    .description('compute every link of the hash chains again; exit code 3 when one is broken')
    .addHelpText(
      'after',
      examples('mad audit verify --json > heads.json', 'mad audit verify --against heads.json'),
    )
    .option('--org <org_id>', "only this organization's chain", organization)
    .option('--against <file>', "what --json printed earlier: today's chains have to continue it")
    .option('--json', 'one JSON document', false)
    .action(async ({ org, against, json }: Options) => {
      const kept = against === undefined ? [] : await readHeads(against);
      const deps = await open();
      const reports = await deps.verifyAudit(org ?? null, kept);
      if (json) print(JSON.stringify({ chains: reports.map(toJson) }, null, 2));
      else for (const line of reportLines(reports)) print(line);
      if (reports.some(({ broken }) => broken !== null)) exitWith(EXIT.findingsLeft);
    });
};

/** @throws {Error} naming the file, when it is not what `--json` prints */
const readHeads = async (file: string): Promise<readonly ChainHead[]> => {
  try {
    const document: unknown = JSON.parse(await readFile(file, 'utf8'));
    const chains = fieldOf(document, 'chains');
    if (!Array.isArray(chains)) throw new TypeError('it has no list "chains"');
    // What is said of a broken chain binds nobody.
    const intact = chains.filter((chain) => (fieldOf(chain, 'broken') ?? null) === null);
    return intact.map(readHead);
  } catch (error) {
    throw new Error(`${file} holds no heads as "audit verify --json" prints them: ${reasonOf(error)}`, {
      cause: error,
    });
  }
};

const readHead = (chain: unknown): ChainHead => {
  const [id, entries, head] = ['org_id', 'entries', 'head'].map((name) => fieldOf(chain, name));
  const isCount = typeof entries === 'number' && Number.isSafeInteger(entries) && entries >= 0;
  const isHash = typeof head === 'string' && /^[0-9a-f]{64}$/.test(head);
  if (!isCount || !(isHash || (head === null && entries === 0))) throw new TypeError('a head is malformed');
  if (id !== null && typeof id !== 'string') throw new TypeError('an organization is malformed');
  return { organizationId: id === null ? null : organization(id), entries, head: isHash ? head : null };
};

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

const nameOf = ({ organizationId }: ChainReport): string => organizationId ?? '(no organization)';

const toJson = (report: ChainReport): object => ({
  org_id: report.organizationId,
  entries: report.entries,
  head: report.head,
  broken: report.broken && {
    audit_id: report.broken.auditId,
    position: report.broken.position,
    reason: report.broken.reason,
  },
});

const reportLines = (reports: readonly ChainReport[]): readonly string[] => {
  const count = reports.filter(({ broken }) => broken !== null).length;
  return [
    ...reports.map(reportLine),
    count === 0
      ? `${reports.length} chains, all intact.`
      : `${count} of ${reports.length} chains are broken.`,
  ];
};

const reportLine = (report: ChainReport): string => {
  const { broken } = report;
  if (broken === null)
    return `intact  ${nameOf(report)}: ${report.entries} entries, head ${report.head ?? 'none'}`;
  const where =
    broken.auditId === null ? '' : `entry ${broken.auditId} (position ${broken.position ?? '?'}): `;
  return `BROKEN  ${nameOf(report)}: ${where}${broken.reason}`;
};
