import { CommandError } from './infrastructure/knex-command/command-error.ts';
import { knexCommandConfig } from './infrastructure/knex-command/knex-command.ts';

/**
 * For the `knex` command: `--env metadata`, or `--env results` with ORG_ID for one organization's database and
 * without it for the template. Where the databases are is the service's own configuration.
 */
export default {
  metadata: knexCommandConfig('metadata'),
  results: knexCommandConfig('results'),

  /** Knex takes all of this for one configuration when `--env` names no part of it. */
  get client(): never {
    throw new CommandError('Say which databases: --env metadata or --env results.');
  },
};
