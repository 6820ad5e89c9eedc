import type { Command } from 'commander';
import type { DatabaseLedger } from '../../application/ports/databases/database-ledger.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { allOf } from '../../domain/page.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { EXIT, type CommandContext } from './command-context.ts';
import { plural } from './fleet-report.ts';
import { organization } from './organization-arguments.ts';

/** What the commands on files act on. */
export interface FileCommandDependencies {
  readonly databaseLedger: Pick<DatabaseLedger, 'list'>;
  /** Opens the organization's database. Returns how many files were deleted. */
  collectFiles(organizationId: OrganizationId): Promise<number>;
  purgeFiles(organizationId: OrganizationId): Promise<void>;
}

export const addFileCommands = (
  program: Command,
  { open, print, exitWith }: CommandContext<FileCommandDependencies>,
): void => {
  const files = program.command('files').description("organizations' files");
  files
    .command('collect')
    .description(
      'delete files that nothing has referred to for a day; opens the databases, one after another',
    )
    .argument('[org_ids...]', 'all organizations by default', eachOrganization)
    .action(async (ids: readonly OrganizationId[]) => {
      const deps = await open();
      for await (const id of ids.length > 0 ? ids : withDatabases(deps)) {
        try {
          print(`${id}: ${plural(await deps.collectFiles(id), 'file')} deleted.`);
        } catch (error) {
          print(`${id}: failed: ${reasonOf(error)}`);
          exitWith(EXIT.findingsLeft);
        }
      }
    });
  files
    .command('purge')
    .description(
      "delete all files of an organization whose database was retired; they do not come back by 'adopt'",
    )
    .argument('<org_id>', '', organization)
    .action(async (id: OrganizationId) => {
      const deps = await open();
      await deps.purgeFiles(id);
      print(`All files of ${id} were deleted.`);
    });
};

const eachOrganization = (
  text: string,
  before: readonly OrganizationId[] = [],
): readonly OrganizationId[] => [...before, organization(text)];

async function* withDatabases({ databaseLedger }: FileCommandDependencies): AsyncGenerator<OrganizationId> {
  const records = allOf((page) => databaseLedger.list({ state: 'ready' }, page));
  for await (const { organizationId } of records) yield organizationId;
}
