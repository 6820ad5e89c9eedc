import type { Command } from 'commander';
import type { ChainReport } from '../../application/ports/audit-chains.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** What the commands on the audit trail act on. */
export interface AuditCommandDependencies {
  verifyAudit(organizationId: OrganizationId | null): Promise<readonly ChainReport[]>;
  print(line: string): void;
}

/** @param onBroken called when a chain turns out to be broken */
export const addAuditCommands = (
  program: Command,
  deps: AuditCommandDependencies,
  parseId: (text: string) => OrganizationId,
  onBroken: () => void,
): void => {
  const audit = program.command('audit').description('the audit trail');
  audit
    .command('verify')
    .description('compute every link of the hash chains again; exit code 3 when one is broken')
    .option('--org <org_id>', "only this organization's chain")
    .option('--json', 'one JSON document', false)
    .action(async ({ org, json }: { org?: string; json: boolean }) => {
      const reports = await deps.verifyAudit(org === undefined ? null : parseId(org));
      if (json) deps.print(JSON.stringify({ chains: reports.map(toJson) }, null, 2));
      else printReports(reports, deps);
      if (reports.some(({ broken }) => broken !== null)) onBroken();
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

const printReports = (reports: readonly ChainReport[], deps: AuditCommandDependencies): void => {
  for (const report of reports) {
    const { broken } = report;
    if (broken === null) {
      deps.print(`intact  ${nameOf(report)}: ${report.entries} entries, head ${report.head ?? 'none'}`);
    } else {
      const where =
        broken.auditId === null ? '' : `entry ${broken.auditId} (position ${broken.position ?? '?'}): `;
      deps.print(`BROKEN  ${nameOf(report)}: ${where}${broken.reason}`);
    }
  }
  const count = reports.filter(({ broken }) => broken !== null).length;
  deps.print(
    count === 0
      ? `${reports.length} chains, all intact.`
      : `${count} of ${reports.length} chains are broken.`,
  );
};
