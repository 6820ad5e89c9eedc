import { Command, CommanderError, Help } from 'commander';
import { DomainError } from '../../domain/exceptions.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { addAccessCommands, type AccessCommandDependencies } from './access-commands.ts';
import { addAuditCommands, type AuditCommandDependencies } from './audit-commands.ts';
import { EXIT, EXIT_MEANINGS, type CommandContext, type ExitCode } from './command-context.ts';
import { addDatabaseCommands, type DatabaseCommandDependencies } from './database-commands.ts';
import { addFileCommands, type FileCommandDependencies } from './file-commands.ts';
import { addMigrateCommands, type MigrateDependencies } from './migrate-commands.ts';
import { addServerCommands, type ServerCommandDependencies } from './server-commands.ts';

/** What the commands act on. */
export interface CliDependencies
  extends
    AccessCommandDependencies,
    AuditCommandDependencies,
    DatabaseCommandDependencies,
    FileCommandDependencies,
    ServerCommandDependencies {
  /** What `migrate` acts on, once the metadata database is up to date. */
  openMigrate(): Promise<MigrateDependencies>;
}

/** What surrounds one run of the command line. */
export interface CliSurroundings {
  readonly version: string;
  /** Called at most once, and only by a command line that is right. */
  readonly open: () => Promise<CliDependencies>;
  /** Writes to standard output. */
  readonly print: (line: string) => void;
  /** Writes to standard error. */
  readonly warn: (line: string) => void;
  /** Asks for a password on the terminal, or reads it from standard input. */
  readonly readPassword: () => Promise<string>;
}

/** Runs one command line; never throws. @param argv without the interpreter and the script */
export const runCli = async (
  argv: readonly string[],
  { version, print, warn, readPassword, ...surroundings }: CliSurroundings,
): Promise<ExitCode> => {
  let exitCode: ExitCode = EXIT.ok;
  const open = once(surroundings.open);
  const context: CommandContext<CliDependencies> = {
    open,
    print,
    exitWith: (code) => {
      exitCode = code;
    },
  };
  const program = new Command('mad')
    .description(
      'Operates the databases of the Molecular Analysis Dashboard, by the configuration of the service: call it in the folder of its .env, or with its environment. "mad <command> <command> --help" says what each does.',
    )
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => print(text.trimEnd()),
      writeErr: (text) => warn(text.trimEnd()),
    })
    .configureHelp({ optionDescription })
    .addHelpText('after', PROGRAMS)
    .addHelpText('afterAll', EXIT_CODES);
  addDatabaseCommands(program, context);
  addServerCommands(program, context);
  addFileCommands(program, context);
  addMigrateCommands(program, { ...context, open: once(async () => (await open()).openMigrate()) });
  addAccessCommands(program, { ...context, readPassword });
  addAuditCommands(program, context);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.misused;
    warn(explain(error));
    return EXIT.failed;
  }
};

/** That an option which is not given is off needs no words. */
const optionDescription: Help['optionDescription'] = (option) =>
  option.isBoolean() ? option.description : new Help().optionDescription(option);

const PROGRAMS = `
Programs beside these commands:
  mad start   the service                      (npm start)
  mad worker  docks the jobs that wait         (npm run worker)
  mad demo    the main job on real input       (npm run demo)
  mad knex    Knex's command on the databases  (npm run knex -- …)`;

/** Whoever reads the help of one command writes a script with it. */
const EXIT_CODES = `
Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join('\n')}`;

const once = <Value>(open: () => Promise<Value>): (() => Promise<Value>) => {
  let opened: Promise<Value> | undefined;
  return () => (opened ??= open());
};

const explain = (error: unknown): string => {
  if (error instanceof ValidationError) {
    return error.issues.map(({ path, message }) => `${path} ${message}`).join('\n');
  }
  if (!(error instanceof Error)) return String(error);
  const cause =
    error instanceof DomainError && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`;
};
