import { Option, type Command } from 'commander';
import type { WorkOptions } from '../../application/fleet/begin-run.ts';
import { FleetCommandError } from '../../application/fleet/fleet-command-error.ts';
import type { FleetOperator } from '../../application/fleet/fleet-operator.ts';
import type { Quantity } from '../../application/fleet/plan-fleet.ts';
import type { FleetPlanOptions } from '../../application/fleet/plan-run.ts';
import { isLeftDeferred, type FleetStatus } from '../../application/fleet/run-status.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { addCheckCommands, type CheckDependencies } from './check-commands.ts';
import { EXIT, examples, type CommandContext } from './command-context.ts';
import { createProgressDisplay, SILENT } from './fleet-progress.ts';
import { planJson, planLines, statusJson, statusLines } from './fleet-report.ts';
import { positiveNumber, quantity, wholeNumber } from './migrate-arguments.ts';
import { openFor, organizations } from './organization-arguments.ts';

/** What the commands of `migrate` act on. */
export interface MigrateDependencies extends CheckDependencies {
  readonly operator: FleetOperator;
  /** Databases worked on at once, when the command does not say. */
  readonly concurrency: number;
  /** A terminal to draw progress on; null: plain lines. */
  readonly terminal: NodeJS.WritableStream | null;
  /** Ends the work after the databases under way. */
  readonly signal: AbortSignal;
}

type MigrateContext = CommandContext<MigrateDependencies>;

interface ChoiceOptions {
  readonly org?: readonly OrganizationId[];
  readonly to?: number;
  readonly json: boolean;
}
interface PlanningOptions extends ChoiceOptions {
  readonly canary?: readonly OrganizationId[];
  readonly canaries: number;
  readonly waveSize: Quantity;
}
interface WorkingOptions {
  readonly concurrency?: number;
  readonly json: boolean;
}

export const addMigrateCommands = (program: Command, context: MigrateContext): void => {
  const migrate = program
    .command('migrate')
    .description("the schema of all organizations' results databases");
  addPlan(migrate, context);
  addRun(migrate, context);
  addStatus(migrate, context);
  addRunControl(migrate, context);
  addRollback(migrate, context);
  addCheckCommands(migrate, context);
};

const addPlan = (migrate: Command, context: MigrateContext): void => {
  withPlanning(migrate.command('plan'))
    .description('say what "run" would do where, and why; connects to no organization')
    .action(async (options: PlanningOptions) => {
      const { operator } = await openFor(context, options);
      const plan = await operator.plan(planOptions(options));
      if (options.json) context.print(JSON.stringify(planJson(plan), null, 2));
      else for (const line of planLines(plan)) context.print(line);
    });
};

const addRun = (migrate: Command, context: MigrateContext): void => {
  withWorking(withPlanning(migrate.command('run')))
    .description(
      'bring organizations up to date: canaries first, then wave after wave. Goes on with an unfinished run; several may run at once and share the work',
    )
    .addOption(
      new Option(
        '--error-budget <n>',
        'failures taken before it halts by itself; a failing canary always halts it. A number or a share (5%)',
      )
        .argParser(quantity)
        .default({ percent: 5 }, '5%'),
    )
    .addHelpText(
      'after',
      examples('mad migrate plan', 'mad migrate run --canary acme --wave-size 10%', 'mad migrate status'),
    )
    .action(async (options: PlanningOptions & WorkingOptions & { errorBudget: Quantity }) => {
      const { errorBudget } = options;
      const result = await watched(context, options, (operator, work) =>
        operator.run({ ...planOptions(options), errorBudget }, work),
      );
      if (result.status !== null) return concludeRun(context, options.json, result.status);
      if (options.json) context.print(JSON.stringify({ ...planJson(result.plan), run_id: null }, null, 2));
      else for (const line of planLines(result.plan)) context.print(line);
    });
};

const addStatus = (migrate: Command, { open, print }: MigrateContext): void => {
  migrate
    .command('status')
    .description('the latest run: how far it is, what failed and why')
    .option('--run <number>', 'another run', wholeNumber)
    .option('--json', 'one JSON document', false)
    .action(async ({ run, json }: { run?: number; json: boolean }) => {
      const { operator } = await open();
      const status = await operator.status(run);
      if (status === null && run !== undefined) throw new FleetCommandError(`There is no run ${run}.`);
      if (json) print(JSON.stringify(status === null ? null : statusJson(status), null, 2));
      else if (status === null) print('No migration was ever run.');
      else for (const line of statusLines(status)) print(line);
    });
};

const addRunControl = (migrate: Command, context: MigrateContext): void => {
  migrate
    .command('pause')
    .description('let the run under way begin nothing more; what is under way is finished')
    .action(async () => {
      const { operator } = await context.open();
      const { runId } = await operator.pause();
      context.print(`Run ${runId} is paused. Go on with it by "migrate resume".`);
    });
  withWorking(migrate.command('resume'))
    .description('go on with a run that was paused, halted, or left by its runners')
    .action(async (options: WorkingOptions) =>
      concludeRun(
        context,
        options.json,
        await watched(context, options, (operator, work) => operator.resume(work)),
      ),
    );
  withWorking(migrate.command('retry'))
    .description('try failed organizations of the latest run again, and go on with it')
    .option('--org <ids>', 'only these, separated by commas', organizations)
    .action(async (options: WorkingOptions & { org?: readonly OrganizationId[] }) =>
      concludeRun(
        context,
        options.json,
        await watched(context, options, (operator, work) => operator.retry(options.org ?? null, work)),
      ),
    );
};

const addRollback = (migrate: Command, context: MigrateContext): void => {
  withWorking(migrate.command('rollback'))
    .description(
      'take organizations back, by the migrations’ own way down; what these had made goes, rows and all',
    )
    .addHelpText(
      'after',
      examples('mad migrate rollback --wave 0', 'mad migrate rollback --org acme,beta --to 3'),
    )
    .option('--org <ids>', 'these, separated by commas', organizations)
    .option('--wave <number>', 'those of this wave of the latest run; 0: its canaries', wholeNumber)
    .option('--to <version>', 'schema version; left out: what each had before the latest run', wholeNumber)
    .action(
      async (
        options: WorkingOptions & { org?: readonly OrganizationId[]; wave?: number; to?: number },
        command: Command,
      ) => {
        const { org, wave, to } = options;
        const of = org ?? (wave === undefined ? null : { wave });
        if (of === null || (org !== undefined && wave !== undefined)) {
          return command.error('Say which organizations: either --org or --wave.');
        }
        const rollback = { of, ...(to !== undefined && { target: to }) };
        const status = await watched(context, options, (operator, work) => operator.rollback(rollback, work));
        return concludeRun(context, options.json, status);
      },
    );
};

/** Runs a command with its progress in view. */
const watched = async <Result>(
  context: MigrateContext,
  { concurrency, json, ...named }: WorkingOptions & Pick<PlanningOptions, 'org' | 'canary'>,
  run: (operator: FleetOperator, work: WorkOptions) => Promise<Result>,
): Promise<Result> => {
  const deps = await openFor(context, named);
  const display = json ? SILENT : createProgressDisplay(deps.terminal, context.print);
  try {
    return await run(deps.operator, {
      concurrency: concurrency ?? deps.concurrency,
      signal: deps.signal,
      onProgress: (progress) => display.show(progress),
    });
  } finally {
    display.end();
  }
};

const concludeRun = async (
  { open, print, exitWith }: MigrateContext,
  json: boolean,
  status: FleetStatus,
): Promise<void> => {
  const { signal } = await open();
  if (json) print(JSON.stringify(statusJson(status), null, 2));
  else for (const line of statusLines(status)) print(line);
  if (status.counts.failed > 0) exitWith(EXIT.findingsLeft);
  else if (isLeftDeferred(status) && !signal.aborted) exitWith(EXIT.findingsLeft);
  else if (status.run.state !== 'finished') exitWith(EXIT.failed);
};

const withPlanning = (command: Command): Command =>
  command
    .option('--org <ids>', 'only these organizations, separated by commas', organizations)
    .option('--to <version>', 'schema version; left out: the newest of this release', wholeNumber)
    .option('--canary <ids>', 'these go first, alone', organizations)
    .option('--canaries <n>', 'so many go first, alone, when none are named', wholeNumber, 1)
    .addOption(
      new Option('--wave-size <n>', 'organizations of a wave: a number or a share (25%)')
        .argParser(quantity)
        .default({ percent: 25 }, '25%'),
    )
    .option('--json', 'one JSON document', false);

const withWorking = (command: Command): Command => {
  command.option('--concurrency <n>', 'databases worked on at once on each server', positiveNumber);
  // Planning commands have it already.
  if (!command.options.some(({ long }) => long === '--json')) {
    command.option('--json', 'one JSON document, and no progress', false);
  }
  return command;
};

const planOptions = ({ org, to, canary, canaries, waveSize }: PlanningOptions): FleetPlanOptions => ({
  only: org === undefined ? null : new Set(org),
  canaries: canary ?? canaries,
  waveSize,
  ...(to !== undefined && { target: to }),
});
