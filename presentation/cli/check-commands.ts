import type { Command } from 'commander';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type {
  DriftReport,
  FleetChecks,
  Rehearsal,
  SchemaDifference,
} from '../../application/ports/fleet/fleet-checks.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { EXIT, type CommandContext } from './command-context.ts';
import { formatSeconds } from './fleet-progress.ts';
import { plural } from './fleet-report.ts';
import { wholeNumber } from './migrate-arguments.ts';
import { openFor, organizations, type KnownOrganizations } from './organization-arguments.ts';

/** What the checks act on. */
export interface CheckDependencies extends KnownOrganizations {
  readonly operator: Pick<FleetOperator, 'target'>;
  readonly checks: FleetChecks;
}

/** Adds the commands that look and change nothing. */
export const addCheckCommands = (migrate: Command, context: CommandContext<CheckDependencies>): void => {
  const { print, exitWith } = context;
  migrate
    .command('dry-run')
    .description(
      'migrate copies of real databases and drop them; while one is copied, new connections to it wait',
    )
    .requiredOption('--org <ids>', 'whose databases, separated by commas', organizations)
    .option('--to <version>', 'schema version; left out: the newest of this release', wholeNumber)
    .option('--json', 'one JSON document', false)
    .action(async ({ org, to, json }: { org: readonly OrganizationId[]; to?: number; json: boolean }) => {
      const { operator, checks } = await openFor(context, { org });
      const target = await operator.target(to === undefined ? {} : { target: to });
      const rehearsals = await checks.rehearse(org, target);
      if (json) print(JSON.stringify({ rehearsals: rehearsals.map(rehearsalJson) }, null, 2));
      else for (const line of rehearsals.flatMap(rehearsalLines)) print(line);
      if (rehearsals.some(({ outcome }) => outcome === 'failed')) exitWith(EXIT.findingsLeft);
    });
  migrate
    .command('drift')
    .description('name organizations whose schema is not what the migrations make, and how it differs')
    .option('--org <ids>', 'only these organizations, separated by commas', organizations)
    .option('--json', 'one JSON document', false)
    .action(async ({ org, json }: { org?: readonly OrganizationId[]; json: boolean }) => {
      const { checks } = await openFor(context, { ...(org && { org }) });
      const report = await checks.drift(org === undefined ? null : new Set(org));
      if (json) print(JSON.stringify(driftJson(report), null, 2));
      else for (const line of driftLines(report)) print(line);
      if (report.drifted.length + report.unreadable.length > 0) exitWith(EXIT.findingsLeft);
    });
};

const rehearsalLines = (rehearsal: Rehearsal): readonly string[] => {
  const { organizationId, outcome, reason, fromVersion, toVersion, locks } = rehearsal;
  const task = `${organizationId}: from schema version ${fromVersion ?? 'unknown'} to ${toVersion}`;
  if (outcome === 'failed') return [`${task} FAILED: ${reason ?? 'no reason is known'}`];
  const { copyMs, migrateMs, bytesBefore, bytesAfter } = rehearsal;
  return [
    `${task} works.`,
    `  time   ${formatSeconds(migrateMs / 1000)} to migrate, ${formatSeconds(copyMs / 1000)} to copy`,
    `  size   ${megabytes(bytesBefore)} before, ${megabytes(bytesAfter)} after`,
    `  locks  ${locks.length === 0 ? 'none that anybody waits for' : locks.map(lockText).join(', ')}`,
  ];
};

const lockText = ({ table, mode }: Rehearsal['locks'][number]): string => `${table} (${mode})`;

const megabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

const rehearsalJson = (rehearsal: Rehearsal): object => ({
  org_id: rehearsal.organizationId,
  outcome: rehearsal.outcome,
  reason: rehearsal.reason,
  from_version: rehearsal.fromVersion,
  to_version: rehearsal.toVersion,
  copy_ms: Math.round(rehearsal.copyMs),
  migrate_ms: Math.round(rehearsal.migrateMs),
  bytes_before: rehearsal.bytesBefore,
  bytes_after: rehearsal.bytesAfter,
  locks: rehearsal.locks,
});

const driftLines = ({ checked, drifted, unreadable }: DriftReport): readonly string[] => [
  drifted.length === 0
    ? `${plural(checked, 'schema')} checked: all as the migrations make them.`
    : `${plural(checked, 'schema')} checked, ${drifted.length} not as the migrations make them:`,
  ...drifted.flatMap(({ organizationId, schemaVersion, differences }) => [
    `  ${organizationId} (schema version ${schemaVersion})`,
    ...differences.flatMap(({ kind, object, expected, found }) => [
      `    ${kind.padEnd(8)} ${object}`,
      ...definitionLines('expected: ', kind, expected),
      ...definitionLines('found:    ', kind, found),
    ]),
  ]),
  ...(unreadable.length === 0 ? [] : ['Could not be checked:']),
  ...unreadable.map(({ organizationId, reason }) => `  ${organizationId}  ${reason}`),
];

/** A thing with nothing set has an empty definition: worth a line only beside another one. */
const definitionLines = (
  label: string,
  kind: SchemaDifference['kind'],
  definition: string | null,
): readonly string[] => {
  if (definition === null || (definition === '' && kind !== 'changed')) return [];
  return [`             ${label}${definition === '' ? 'nothing set' : oneLine(definition)}`];
};

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

const driftJson = ({ checked, drifted, unreadable }: DriftReport): object => ({
  checked,
  drifted: drifted.map(({ organizationId, schemaVersion, differences }) => ({
    org_id: organizationId,
    schema_version: schemaVersion,
    differences,
  })),
  unreadable: unreadable.map(({ organizationId, reason }) => ({ org_id: organizationId, reason })),
});
