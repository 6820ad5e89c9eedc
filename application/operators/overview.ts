import type { DatabaseState } from '../../domain/databases/results-database.ts';
import type { OrganizationStatus } from '../../domain/organizations/organization.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationGroup, Standing } from '../ports/operators/operators-ledger.ts';
import {
  SILENT_AFTER_SECONDS,
  type BusyOrganization,
  type ProcessBeat,
} from '../ports/operators/process-ledger.ts';
import type { Ports } from '../ports/ports.ts';
import { listServers } from '../servers/list-servers.ts';
import type { ServerView } from '../servers/server-view.ts';
import type { Attention } from './attention-item.ts';
import { needsAttention } from './attention.ts';

export interface Overview {
  /** When the numbers were read. */
  readonly at: Date;
  readonly needsYou: readonly Attention[];
  readonly organizations: {
    readonly total: number;
    readonly byStatus: Readonly<Partial<Record<OrganizationStatus, number>>>;
    /** `none`: they have no database yet. */
    readonly byDatabaseState: Readonly<Partial<Record<DatabaseState | 'none', number>>>;
  };
  readonly servers: readonly ServerView[];
  readonly processes: { readonly live: number; readonly silent: number; readonly requestsPerSecond: number };
  readonly busiest: readonly BusyOrganization[];
  readonly run: Standing['run'];
  /** The last comparison of the servers with the ledger. */
  readonly pass: Standing['pass'];
}

type OverviewPorts = Pick<
  Ports,
  'operatorsLedger' | 'changeFeed' | 'releaseSchemas' | 'servers' | 'metadata' | 'now'
>;

/** However many ask, the metadata database is asked this often. */
const KEPT_MS = 2000;
/** An answer is kept for so many times what its reading took: counting a million organizations takes most of a second. */
const KEPT_PER_READING = 20;
const BUSIEST = 20;

/**
 * What is wrong, and how much there is of what: for the first page of an operator. Three statements in the metadata database
 * at most every two seconds, and for at most a twentieth of the time; none for each organization, and no connection to a
 * results database. Concurrent callers share one reading. Decisions 0051 and 0061.
 */
export const getOverview = (ports: OverviewPorts): (() => Promise<Overview>) => {
  let kept: Kept | null = null;
  return () => {
    const now = ports.now();
    // A clock that was set back must not keep an answer for longer.
    if (kept === null || Math.abs(now - kept.askedAt) >= kept.forMs) {
      const reading: Kept = { askedAt: now, forMs: Infinity, overview: readOverview(ports) };
      kept = reading;
      reading.overview.then(
        () => {
          reading.forMs = Math.max(KEPT_MS, KEPT_PER_READING * (ports.now() - now));
        },
        () => {
          if (kept === reading) kept = null;
        },
      );
    }
    return kept.overview;
  };
};

interface Kept {
  /** As `Date.now` says it, like the answer's `at`. */
  readonly askedAt: number;
  /** While it is being read, whoever asks waits for it. */
  forMs: number;
  readonly overview: Promise<Overview>;
}

const readOverview = async (ports: OverviewPorts): Promise<Overview> => {
  const { operatorsLedger, releaseSchemas, changeFeed, now } = ports;
  const [groups, servers, standing, schemas] = await Promise.all([
    operatorsLedger.groupOrganizations(),
    listServers(ports)(),
    operatorsLedger.standing(),
    releaseSchemas(),
  ]);
  const live = standing.processes.filter(isLive);
  return {
    at: new Date(now()),
    needsYou: needsAttention({ groups, servers, standing, schemas, isFeedBehind: changeFeed.isBehind }),
    organizations: {
      total: groups.reduce((sum, { count }) => sum + count, 0),
      byStatus: countBy(groups, ({ status }) => status),
      byDatabaseState: countBy(groups, ({ state }) => state ?? 'none'),
    },
    servers,
    processes: {
      live: live.length,
      silent: standing.processes.length - live.length,
      requestsPerSecond: rounded(live.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0)),
    },
    busiest: busiestOf(live),
    run: standing.run,
    pass: standing.pass,
  };
};

export const isLive = ({ ageSeconds }: ProcessBeat): boolean => ageSeconds <= SILENT_AFTER_SECONDS;

const countBy = <Key extends string>(
  groups: readonly OrganizationGroup[],
  keyOf: (group: OrganizationGroup) => Key,
): Partial<Record<Key, number>> => {
  const counts: Partial<Record<Key, number>> = {};
  for (const group of groups) counts[keyOf(group)] = (counts[keyOf(group)] ?? 0) + group.count;
  return counts;
};

const rounded = (rate: number): number => Math.round(rate * 10) / 10;

/** Of all processes together. */
const busiestOf = (processes: readonly ProcessBeat[]): readonly BusyOrganization[] => {
  const sums = new Map<OrganizationId, BusyOrganization>();
  for (const one of processes.flatMap(({ busiest }) => busiest)) {
    const before = sums.get(one.organizationId);
    sums.set(one.organizationId, {
      organizationId: one.organizationId,
      requestsPerSecond: rounded(one.requestsPerSecond + (before?.requestsPerSecond ?? 0)),
      open: one.open + (before?.open ?? 0),
      waiting: one.waiting + (before?.waiting ?? 0),
    });
  }
  return [...sums.values()]
    .toSorted((one, other) => other.requestsPerSecond - one.requestsPerSecond)
    .slice(0, BUSIEST);
};
