import { Command, CommanderError } from 'commander';
import type { AdoptedDatabase, Finding, RotationReport } from '../../application/ports/database-upkeep.ts';
import { DomainError, ValidationError } from '../../domain/exceptions.ts';
import { addAuditCommands, type AuditCommandDependencies } from './audit-commands.ts';
import { parseOrganizationId, type OrganizationId } from '../../domain/organizations/organization-id.ts';
import { addMigrateCommands, type MigrateDependencies } from './migrate-commands.ts';

/** What the commands act on. */
export interface CliDependencies extends AuditCommandDependencies {
  readonly maxOrganizationIdLength: number;
  reconcile(options: { dryRun: boolean; quarantineForeign: boolean }): Promise<readonly Finding[]>;
  provision(organizationId: OrganizationId): Promise<void>;
  adopt(
    organizationId: OrganizationId,
    from: string | undefined,
    takeOver: boolean,
  ): Promise<AdoptedDatabase>;
  /** Returns the name the database was put aside under; null when it was gone already. */
  retire(organizationId: OrganizationId): Promise<string | null>;
  /** Gives all roles their passwords from the first secret. */
  rotateCredentials(): Promise<RotationReport>;
  readonly migrate: MigrateDependencies;
}

/** 3: something is not as it should be. */
export type ExitCode = 0 | 1 | 2 | 3;

const OK: ExitCode = 0;
const FAILED: ExitCode = 1;
const MISUSED: ExitCode = 2;
const FINDINGS_LEFT: ExitCode = 3;

/** Runs one command line; never throws. @param argv without the interpreter and the script */
export const runCli = async (argv: readonly string[], deps: CliDependencies): Promise<ExitCode> => {
  let exitCode: ExitCode = OK;
  const program = new Command('npm run cli --')
    .description('Operates the databases of the Molecular Analysis Dashboard.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.print(text.trimEnd()),
      writeErr: (text) => deps.print(text.trimEnd()),
    });
  addDatabaseCommands(program, deps, (code) => {
    exitCode = code;
  });
  const idOf = (text: string): OrganizationId => parseOrganizationId(text, deps.maxOrganizationIdLength);
  addAuditCommands(program, deps, idOf, () => {
    exitCode = FINDINGS_LEFT;
  });
  addMigrateCommands(program, {
    deps: deps.migrate,
    parseId: idOf,
    print: (line) => deps.print(line),
    exitWith: (code) => {
      exitCode = code;
    },
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : MISUSED;
    deps.print(explain(error));
    return FAILED;
  }
};

const addDatabaseCommands = (
  program: Command,
  deps: CliDependencies,
  exitWith: (code: ExitCode) => void,
): void => {
  const databases = program.command('databases').description("organizations' results databases");
  const idOf = (text: string): OrganizationId => parseOrganizationId(text, deps.maxOrganizationIdLength);

  databases
    .command('reconcile')
    .description('compare the server with the ledger and repair what is safe; never drops data')
    .option('--dry-run', 'only say what would be done', false)
    .option('--quarantine-foreign', 'also put databases aside that no deployment of this service made', false)
    .option('--json', 'one JSON document', false)
    .action(async (options: { dryRun: boolean; quarantineForeign: boolean; json: boolean }) => {
      const findings = await deps.reconcile(options);
      printFindings(findings, options, deps);
      if (findings.some(({ action }) => options.dryRun || action === 'reported' || action === 'failed'))
        exitWith(FINDINGS_LEFT);
    });
  databases
    .command('provision')
    .description("make an organization's database, or find it ready")
    .argument('<org_id>')
    .action(async (text: string) => {
      await deps.provision(idOf(text));
      deps.print(`The database of ${text} is ready.`);
    });
  databases
    .command('adopt')
    .description("make an existing database the organization's: migrate it, stamp it, name it")
    .argument('<org_id>')
    .option('--from <database>', "its present name, when it is not the organization's")
    .option(
      '--take-over',
      'also when it belongs to another deployment, whose metadata database is lost',
      false,
    )
    .action(async (text: string, { from, takeOver }: { from?: string; takeOver: boolean }) => {
      const { databaseName, formerly } = await deps.adopt(idOf(text), from, takeOver);
      const before = formerly === null ? 'it did not say whose it was' : `it was one of ${formerly} before`;
      deps.print(`${databaseName} is now the database of ${text}; ${before}.`);
    });
  databases
    .command('retire')
    .description("put an organization's database aside with its data; the next access makes an empty one")
    .argument('<org_id>')
    .action(async (text: string) => {
      const aside = await deps.retire(idOf(text));
      deps.print(
        aside === null
          ? `The database of ${text} was gone already; the ledger has forgotten it.`
          : `The database of ${text} was put aside as ${aside}.`,
      );
    });
  addRotation(databases, deps, exitWith);
};

const addRotation = (databases: Command, deps: CliDependencies, exitWith: (code: ExitCode) => void): void => {
  databases
    .command('rotate-credentials')
    .description("give organizations' roles their passwords from DB_ROLE_SECRET; may be repeated")
    .action(async () => {
      const { rotated, failures } = await deps.rotateCredentials();
      for (const { database, reason } of failures) deps.print(`failed  ${database}: ${reason}`);
      deps.print(`${rotated} roles have the password of today's secret, ${failures.length} failed.`);
      if (failures.length > 0) exitWith(FINDINGS_LEFT);
    });
};

const printFindings = (
  findings: readonly Finding[],
  { json, dryRun }: { readonly json: boolean; readonly dryRun: boolean },
  deps: CliDependencies,
): void => {
  if (json) return deps.print(JSON.stringify({ dry_run: dryRun, findings }, null, 2));
  if (findings.length === 0) return deps.print('Server and ledger agree.');
  for (const { kind, database, action } of findings) {
    const outcome = dryRun && action !== 'reported' ? `would be ${action}` : action;
    deps.print(`${kind.padEnd(12)} ${outcome.padEnd(dryRun ? 21 : 12)} ${database}`);
  }
  if (dryRun) deps.print('A dry run: nothing was changed.');
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
