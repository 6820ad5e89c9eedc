import type { Knex } from 'knex';

/**
 * The latest timeline that any process has seen each results server write. A server that still writes an earlier one was
 * replaced by a promotion. The release before this one neither reads nor writes it: it may record another cluster, so the
 * timeline stands with the cluster that it is of.
 */
export const up = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table results_servers
      add column timeline integer constraint results_servers_timeline_check check (timeline > 0),
      add column timeline_system_identifier text,
      add constraint results_servers_timeline_system_identifier_check
        check ((timeline is null) = (timeline_system_identifier is null));
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    alter table results_servers
      drop constraint results_servers_timeline_system_identifier_check,
      drop column timeline,
      drop column timeline_system_identifier;
  `);
};
