import { CommandError } from './infrastructure/knex-command/command-error.ts';
import { knexCommandConfig } from './infrastructure/knex-command/knex-command.ts';

/**
 * Configures the `knex` command. `--env metadata` selects the metadata database. `--env results` selects one
 * organization's database with ORG_ID, and the template without it. The databases' addresses come from the service's
 * configuration.
 */
export default {
  metadata: knexCommandConfig('metadata'),
  results: knexCommandConfig('results'),

  /** Without a known `--env` Knex reads this whole object as one configuration, and then asks for `client`. */
  get client(): never {
    throw new CommandError('Say which databases: --env metadata or --env results.');
  },
};
