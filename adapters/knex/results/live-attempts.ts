/**
 * The attempts that last. Their index holds an entry of every attempt that ended since the last vacuum. A plain index scan
 * marks these entries dead, and later scans step over them; a bitmap scan would read them all each time. The planner takes
 * a limit that it cannot read for a tenth of the rows, so it prefers the scan that needs no sort.
 */
export const LIVE_ATTEMPTS = `
  select lease_id, engine, expires_at from job_attempts where ended_at is null
  order by job_id limit (select null::bigint)`;
