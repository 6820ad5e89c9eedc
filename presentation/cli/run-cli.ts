import { Command, CommanderError } from 'commander';
import { DomainError } from '../../domain/exceptions.ts';
import { ValidationError } from '../../domain/validation-error.ts';
import { parseOrganizationId } from '../../domain/organizations/organization-id.ts';
import { addAuditCommands, type AuditCommandDependencies } from './audit-commands.ts';
import { EXIT, type CommandContext, type ExitCode } from './command-context.ts';
import { addDatabaseCommands, type DatabaseCommandDependencies } from './database-commands.ts';
import { addMigrateCommands, type MigrateDependencies } from './migrate-commands.ts';
import { addServerCommands, type ServerCommandDependencies } from './server-commands.ts';

/** What the commands act on. */
export interface CliDependencies
  extends AuditCommandDependencies, DatabaseCommandDependencies, ServerCommandDependencies {
  readonly maxOrganizationIdLength: number;
  readonly migrate: MigrateDependencies;
  print(line: string): void;
}

/** Runs one command line; never throws. @param argv without the interpreter and the script */
export const runCli = async (argv: readonly string[], deps: CliDependencies): Promise<ExitCode> => {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Command('npm run cli --')
    .description('Operates the databases of the Molecular Analysis Dashboard.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.print(text.trimEnd()),
      writeErr: (text) => deps.print(text.trimEnd()),
    });
  const context: CommandContext<CliDependencies> = {
    deps,
    print: (line) => deps.print(line),
    parseId: (text) => parseOrganizationId(text, deps.maxOrganizationIdLength),
    exitWith: (code) => {
      exitCode = code;
    },
  };
  addDatabaseCommands(program, context);
  addServerCommands(program, context);
  addAuditCommands(program, context);
  addMigrateCommands(program, { ...context, deps: deps.migrate });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.misused;
    deps.print(explain(error));
    return EXIT.failed;
  }
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
