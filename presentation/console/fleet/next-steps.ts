import type { Schemas } from '../api/client.ts';

type Attention = Schemas['Attention'];

/** What the pages lead to, in place of the routes that the API's sentence names for scripts. */
const STEPS: Readonly<Partial<Record<Attention['code'], string>>> = {
  databases_missing:
    'Findings names them, and what to do. Restore each from a backup, or bring it back by "npx mad databases adopt". What is lost for good is retired on the page of its organization: before that nothing is made anew in its place.',
  findings:
    'Findings says what each means. "Mend what is safe…" does the rest; compare first, by the dry run.',
  organizations_failing:
    'Open the organization: it shows its database and the last error. "Compare now" on the page Findings looks at its database on the server, and says what mends it.',
  migration_halted:
    'The run shows which organizations failed, and why. Then retry them, resume without them, or roll back.',
  migration_paused: 'Open the run, and resume it.',
  migration_abandoned: 'Open the run: pause it, and resume it, and the service works on it.',
  databases_failed: 'Each shows why. Put that right, and press "Try again to make it" there.',
  schema_too_old: 'Migrate them: "Plan a migration…" on Migrations.',
  schema_too_new: 'Start the newer release, or roll the run back that brought them there.',
  schema_behind: 'Migrate them before the next release: "Plan a migration…" on Migrations.',
  servers_not_compared: 'Compare them on Findings.',
  no_server_takes_databases:
    'Let a server take more, or activate one, on Servers; or add one to the configuration.',
};

export const nextStepOf = ({ code, next_step: said }: Attention): string => STEPS[code] ?? said;
