import type { Command } from 'commander';
import type { ChainReport } from '../../application/ports/audit/audit-chains.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { EXIT, type CommandContext } from './command-context.ts';
import { organization } from './organization-arguments.ts';

/** What the commands on the audit trail act on. */
export interface AuditCommandDependencies {
  verifyAudit(organizationId: OrganizationId | null): Promise<readonly ChainReport[]>;
}

export const addAuditCommands = (
  program: Command,
  { open, print, exitWith }: CommandContext<AuditCommandDependencies>,
): void => {
  const audit = program.command('audit').description('the audit trail');
  audit
    .command('verify')
    .description('compute every link of the hash chains again; exit code 3 when one is broken')
    .option('--org <org_id>', "only this organization's chain", organization)
    .option('--json', 'one JSON document', false)
    .action(async ({ org, json }: { org?: OrganizationId; json: boolean }) => {
      const deps = await open();
      const reports = await deps.verifyAudit(org ?? null);
      if (json) print(JSON.stringify({ chains: reports.map(toJson) }, null, 2));
      else for (const line of reportLines(reports)) print(line);
      if (reports.some(({ broken }) => broken !== null)) exitWith(EXIT.findingsLeft);
    });
};

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
