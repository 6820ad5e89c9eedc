import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { SILENT_AFTER_SECONDS } from '../ports/operators/process-ledger.ts';
import {
  are,
  ATTENTION_CODES,
  item,
  plural,
  served,
  SEVERITIES,
  sumOf,
  type Attention,
  type OverviewFacts,
  type Rule,
} from './attention-item.ts';
import { openFindings } from './open-findings.ts';
import { SERVER_RULES } from './server-attention.ts';

/** What is wrong, the worst first. Pure. */
export const needsAttention = (facts: OverviewFacts): readonly Attention[] =>
  RULES.flatMap((rule) => rule(facts)).toSorted(
    (one, other) =>
      SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
      ATTENTION_CODES.indexOf(one.code) - ATTENTION_CODES.indexOf(other.code),
  );

const findings: Rule = ({ standing: { pass } }) => {
  if (pass === null) return [];
  const open = openFindings(pass);
  const missing = open.find(({ kind }) => kind === 'missing')?.count ?? 0;
  const others = open.filter(({ kind }) => kind !== 'missing');
  const total = others.reduce((sum, { count }) => sum + count, 0);
  return [
    ...(missing === 0
      ? []
      : [
          item('databases_missing', 'critical', {
            organizations: missing,
            sentence: `${plural(missing, 'database')} of the ledger ${missing === 1 ? 'is' : 'are'} not on the server.`,
            nextStep:
              'GET /admin/findings names them. Restore each from a backup; nothing is made anew in its place.',
          }),
        ]),
    ...(total === 0
      ? []
      : [
          item('findings', 'warning', {
            sentence: `${plural(total, 'finding')} of the reconciler: ${others.map(({ kind, count }) => `${count} ${kind}`).join(', ')}.`,
            nextStep:
              'GET /admin/findings says what each means. POST /admin/findings/reconcile, with "dry_run" first, mends what is safe.',
          }),
        ]),
  ];
};

const unfinishedRun: Rule = ({ standing: { run } }) => {
  if (run === null) return [];
  const { runId, counts, isServed } = run;
  const failed = counts.failed;
  if (run.state === 'halted')
    return [
      item('migration_halted', 'warning', {
        runId,
        organizations: failed,
        sentence: `Run ${runId} has halted: ${run.reason ?? 'no reason is on record'}; ${plural(failed, 'organization')} failed.`,
        nextStep: `GET /admin/migrations/${runId}/organizations?state=failed says why. Then retry, resume or roll back.`,
      }),
    ];
  if (run.state === 'paused')
    return [
      item('migration_paused', 'warning', {
        runId,
        sentence: `Run ${runId} is paused: ${plural(counts.pending + counts.deferred, 'organization')} ${counts.pending + counts.deferred === 1 ? 'is' : 'are'} yet to come.`,
        nextStep: `POST /admin/migrations/${runId}/resume goes on with it.`,
      }),
    ];
  if (isServed || counts.running > 0 || counts.pending + counts.deferred === 0) return [];
  return [
    item('migration_abandoned', 'warning', {
      runId,
      sentence: `Run ${runId} is under way, and nobody works on it: ${plural(counts.pending + counts.deferred, 'organization')} left.`,
      nextStep: `"npx mad migrate run" goes on with it; POST /admin/migrations/${runId}/pause, then …/resume, gives it to the service.`,
    }),
  ];
};

const databases: Rule = ({ groups }) => {
  const failed = sumOf(groups.filter(({ status, state }) => status === 'active' && state === 'failed'));
  if (failed.organizations === 0) return [];
  return [
    item('databases_failed', 'critical', {
      ...failed,
      sentence: `The databases of ${plural(failed.organizations, 'organization')} could not be made.`,
      nextStep:
        'GET /admin/databases?state=failed says why. Put that right; the next request tries again, and so does POST /admin/databases/{org_id}/provision.',
    }),
  ];
};

const schemas: Rule = (facts) => {
  const { oldest, newest, current } = facts.schemas;
  const ofVersions = (fits: (version: number) => boolean) =>
    sumOf(served(facts).filter(({ schemaVersion }) => schemaVersion !== null && fits(schemaVersion)));
  const below = ofVersions((version) => version < oldest);
  const above = ofVersions((version) => version > newest);
  const behind = ofVersions((version) => version >= oldest && version < current);
  return [
    ...(below.organizations === 0
      ? []
      : [
          item('schema_too_old', 'critical', {
            ...below,
            sentence: `${are(below.organizations, 'refused')}: their schemas are older than this release serves (${oldest}).`,
            nextStep: 'Migrate them: POST /admin/migrations, or "npx mad migrate run".',
          }),
        ]),
    ...(above.organizations === 0
      ? []
      : [
          item('schema_too_new', 'critical', {
            ...above,
            sentence: `${are(above.organizations, 'refused')}: their schemas are newer than this release serves (${newest}).`,
            nextStep: 'Start the newer release, or take them back: POST /admin/migrations/{run_id}/rollback.',
          }),
        ]),
    ...(behind.organizations === 0
      ? []
      : [
          item('schema_behind', 'notice', {
            ...behind,
            sentence: `${plural(behind.organizations, 'organization')} ${behind.organizations === 1 ? 'has' : 'have'} an older schema than this release makes (${current}); all are served.`,
            nextStep: 'Migrate them before the next release: POST /admin/migrations, with "dry_run" first.',
          }),
        ]),
  ];
};

const MAX_NAMED = 5;

const failing: Rule = ({ standing: { processes } }) => {
  const codes = new Map<OrganizationId, string>();
  for (const { failing: ones, ageSeconds } of processes)
    if (ageSeconds <= SILENT_AFTER_SECONDS)
      for (const { organizationId, code } of ones) codes.set(organizationId, code);
  if (codes.size === 0) return [];
  const named = [...codes].toSorted(([one], [other]) => (one < other ? -1 : 1)).slice(0, MAX_NAMED);
  return [
    item('organizations_failing', 'critical', {
      organizations: codes.size,
      sample: named.map(([organizationId]) => organizationId),
      sentence: `All requests of ${plural(codes.size, 'organization')} fail: ${named.map(([id, code]) => `${id} (${code})`).join(', ')}.`,
      nextStep: `GET /admin/databases/${named[0]?.[0] ?? '{org_id}'} shows its database and the last error; the log has the requests by "org_id".`,
    }),
  ];
};

const comparison: Rule = ({ standing: { pass } }) =>
  pass === null
    ? [
        item('servers_not_compared', 'notice', {
          sentence: 'The servers were never compared with the ledger.',
          nextStep: 'POST /admin/findings/reconcile with {"dry_run": true}.',
        }),
      ]
    : [];

const RULES: readonly Rule[] = [
  ...SERVER_RULES,
  findings,
  unfinishedRun,
  databases,
  schemas,
  failing,
  comparison,
];
