import type { ServerId } from '../../domain/databases/server.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { ReleaseSchemas } from '../ports/databases/release-schemas.ts';
import type { OrganizationGroup, Standing } from '../ports/operators/operators-ledger.ts';
import type { ServerView } from '../servers/server-view.ts';

/** What is worth an operator's attention, from the worst: of two codes the one that stands first here comes first. */
export const ATTENTION_CODES = [
  'server_unavailable',
  'server_not_configured',
  'server_problem',
  'databases_missing',
  'organizations_failing',
  'schema_too_old',
  'schema_too_new',
  'migration_halted',
  'databases_failed',
  'findings',
  'connections_exhausted',
  'process_silent',
  'changes_late',
  'no_server_takes_databases',
  'migration_paused',
  'migration_abandoned',
  'servers_not_compared',
  'releases_differ',
  'schema_behind',
] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

/**
 * - `critical`: somebody is refused, or data is gone.
 * - `warning`: it will come to that, or something waits for an operator.
 * - `notice`: nothing has to be done now.
 */
export const SEVERITIES = ['critical', 'warning', 'notice'] as const;
type Severity = (typeof SEVERITIES)[number];

export interface Attention {
  readonly code: AttentionCode;
  readonly severity: Severity;
  readonly sentence: string;
  readonly nextStep: string;
  /** How many organizations it concerns; null: none in particular. */
  readonly organizations: number | null;
  /** Some of them. */
  readonly sample: readonly OrganizationId[];
  readonly serverId: ServerId | null;
  readonly runId: number | null;
}

export interface OverviewFacts {
  readonly groups: readonly OrganizationGroup[];
  readonly servers: readonly ServerView[];
  readonly standing: Standing;
  readonly schemas: ReleaseSchemas;
  /** Whether this process hears late of changes. */
  readonly isFeedBehind: boolean;
}

export type Rule = (facts: OverviewFacts) => readonly Attention[];

const SAMPLE = 5;

export const item = (
  code: AttentionCode,
  severity: Severity,
  said: Pick<Attention, 'sentence' | 'nextStep'> & Partial<Attention>,
): Attention => ({ organizations: null, sample: [], serverId: null, runId: null, ...said, code, severity });

export const plural = (count: number, one: string, many = `${one}s`): string =>
  count === 1 ? `1 ${one}` : `${count} ${many}`;
/** “41 organizations are refused”. */
export const are = (count: number, what: string): string =>
  `${plural(count, 'organization')} ${count === 1 ? 'is' : 'are'} ${what}`;

export const served = ({ groups }: OverviewFacts): readonly OrganizationGroup[] =>
  groups.filter(({ status, state }) => status === 'active' && state === 'ready');

export const sumOf = (
  groups: readonly OrganizationGroup[],
): { readonly organizations: number; readonly sample: readonly OrganizationId[] } => ({
  organizations: groups.reduce((sum, { count }) => sum + count, 0),
  sample: groups
    .flatMap(({ sample }) => sample)
    .toSorted()
    .slice(0, SAMPLE),
});
