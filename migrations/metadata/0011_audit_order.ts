import type { Knex } from 'knex';

/**
 * The trail is read by time; entries that writes of results leave behind reach it a moment after others. The indexes by
 * position stay: releases before this one list by them.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    create index audit_logs_org_id_ts_idx on audit_logs (org_id, ts desc, position desc);
    create index audit_logs_org_id_action_ts_idx on audit_logs (org_id, action, ts desc, position desc);
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop index audit_logs_org_id_action_ts_idx;
    drop index audit_logs_org_id_ts_idx;
  `);
};
