import type { DatabaseHealth } from '../../../application/ports/databases/health-check.ts';
import type { Reply } from '../request/reply.ts';

interface Circumstances {
  readonly health: DatabaseHealth;
  /** Whether suspensions, quotas and removed access reach this process within a second. */
  readonly followsChanges: boolean;
  readonly isStopping: boolean;
  /** Any unhealthy database makes the HTTP status 503. */
  readonly isStrict: boolean;
  readonly namesOrganizations: boolean;
}

/**
 * Says whether a load balancer should send requests here. One organization's database must not take the others out of
 * rotation: it decides the field `status`, and the HTTP status only with `isStrict`.
 */
export const presentReadiness = (circumstances: Circumstances): Reply => {
  const { health, followsChanges, isStopping, isStrict, namesOrganizations } = circumstances;
  const { metadata, servers, serverProblems, organizations } = health;
  const allHealthy = metadata && followsChanges && Object.values(organizations).every(Boolean);
  const serves = metadata && !isStopping && (allHealthy || !isStrict);

  const shown = Object.fromEntries(
    Object.entries(namesOrganizations ? organizations : {}).map(([id, isHealthy]) => [
      `results_${id}`,
      isHealthy,
    ]),
  );
  return {
    status: serves ? 200 : 503,
    body: {
      status: allHealthy && !isStopping ? 'ready' : 'not_ready',
      checks: {
        databases: { metadata, ...shown },
        metadata_db: metadata,
        org_databases: shown,
        servers,
        change_feed: followsChanges,
        server_problems: serverProblems,
      },
    },
    headers: serves ? {} : { 'Retry-After': '1' },
  };
};
