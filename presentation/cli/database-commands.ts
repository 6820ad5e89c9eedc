import { Option, type Command } from 'commander';
import type { AdoptOptions } from '../../application/databases/adopt.ts';
import type { DatabaseLedger, DatabaseRecord } from '../../application/ports/databases/database-ledger.ts';
import type { ServerView } from '../../application/servers/server-view.ts';
import type { UseCases } from '../../application/use-cases.ts';
import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import { DATABASE_STATES, type DatabaseState } from '../../domain/databases/results-database.ts';
import type {
  AdoptedDatabase,
  Finding,
  ReconcileReport,
  RotationReport,
} from '../../application/ports/databases/database-upkeep.ts';
import { DEFAULT_SERVER, type ServerId } from '../../domain/databases/server.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import { allOf } from '../../domain/page.ts';
import { EXIT, examples, type CommandContext } from './command-context.ts';
import { plural } from './fleet-report.ts';
import { organization } from './organization-arguments.ts';
import { serverName } from './server-arguments.ts';

/** What the commands on results databases act on. */
export interface DatabaseCommandDependencies extends Pick<UseCases, 'listServers'> {
  readonly databaseLedger: Pick<DatabaseLedger, 'list'>;
  reconcile(options: { dryRun: boolean; quarantineForeign: boolean }): Promise<ReconcileReport>;
  provision(organizationId: OrganizationId): Promise<void>;
  adopt(organizationId: OrganizationId, options: AdoptOptions): Promise<AdoptedDatabase>;
  /** Returns the name the database was put aside under; null when it was gone already. */
  retire(organizationId: OrganizationId): Promise<string | null>;
  /** Gives all roles their passwords from the first secret. */
  rotateCredentials(): Promise<RotationReport>;
}

type DatabaseContext = CommandContext<DatabaseCommandDependencies>;

export const addDatabaseCommands = (program: Command, context: DatabaseContext): void => {
  const { open, print } = context;
  const databases = program.command('databases').description("organizations' results databases");
  addList(databases, context);
  addReconcile(databases, context);
  databases
    .command('provision')
    .description("make an organization's database, or find it ready")
    .argument('<org_id>', '', organization)
    .action(async (id: OrganizationId) => {
      const deps = await open();
      await deps.provision(id);
      print(`The database of ${id} is ready.`);
    });
  databases
    .command('adopt')
    .description("make an existing database the organization's: migrate it, stamp it, name it")
    .argument('<org_id>', '', organization)
    .option('--from <database>', "its present name, when it is not the organization's")
    .option('--server <name>', "the server where it is; the organization's, or the default one", serverName)
    .option(
      '--take-over',
      'also when it belongs to another deployment, whose metadata database is lost',
      false,
    )
    .addHelpText('after', examples('mad databases adopt acme --from restored'))
    .action(async (id: OrganizationId, { server, ...options }: { server?: ServerId } & AdoptOptions) => {
      const deps = await open();
      print(adoptedLine(id, await deps.adopt(id, { ...options, serverId: server }), options));
    });
  databases
    .command('retire')
    .description("put an organization's database aside with its data; the next access makes an empty one")
    .addHelpText(
      'after',
      '\n"mad databases adopt <org_id> --from <name>" brings it back: the name is printed.',
    )
    .argument('<org_id>', '', organization)
    .action(async (id: OrganizationId) => {
      const deps = await open();
      const aside = await deps.retire(id);
      print(
        aside === null
          ? `The database of ${id} was gone already; the ledger has forgotten it.`
          : `The database of ${id} was put aside as ${aside}. Its files stay until "mad files purge ${id}".`,
      );
    });
  addRotation(databases, context);
};

const adoptedLine = (
  id: OrganizationId,
  { databaseName, formerly }: AdoptedDatabase,
  { from = databaseName }: AdoptOptions,
): string => {
  const isNow = `${databaseName} is the database of ${id}`;
  if (formerly === 'nobody') return `${isNow} now; it did not say whose it was.`;
  if (formerly === 'another deployment') return `${isNow} now; it was that of ${id} in another deployment.`;
  return from === databaseName
    ? `${isNow} already; its schema is up to date, and it has a new stamp.`
    : `${isNow} again; it was put aside as ${from}.`;
};

const addList = (databases: Command, { open, print }: DatabaseContext): void => {
  databases
    .command('list')
    .description(
      'what the metadata database says of each (the ledger), in the order of the organizations; opens none',
    )
    .addOption(new Option('--state <state>', 'only those in this state').choices(DATABASE_STATES))
    .option('--server <name>', 'only those on this server', serverName)
    .option('--json', 'one JSON document', false)
    .action(async ({ state, server, json }: { state?: DatabaseState; server?: ServerId; json: boolean }) => {
      const { databaseLedger, listServers } = await open();
      if (server !== undefined) assertListed(server, await listServers());
      const filter = { state: state ?? null, serverId: server ?? null };
      const records = allOf((page) => databaseLedger.list(filter, page));
      if (json) return printJson(print, records);
      let count = 0;
      for await (const record of records) {
        print(recordLine(record));
        count += 1;
      }
      return print(`${plural(count, 'database')}.`);
    });
};

/** One document, as `JSON.stringify` would write it, of which no more than a record is in memory. */
const printJson = async (
  print: DatabaseContext['print'],
  records: AsyncIterable<DatabaseRecord>,
): Promise<void> => {
  let before: string | null = null;
  for await (const record of records) {
    print(before === null ? '{\n  "databases": [' : `${before},`);
    before = JSON.stringify(recordJson(record), null, 2).replaceAll(/^/gm, '    ');
  }
  print(before === null ? '{\n  "databases": []\n}' : `${before}\n  ]\n}`);
};

const assertListed = (server: ServerId, servers: readonly ServerView[]): void => {
  if (!servers.some(({ serverId }) => serverId === server)) throw new ServerNotFoundError();
};

const addReconcile = (databases: Command, { open, print, exitWith }: DatabaseContext): void => {
  databases
    .command('reconcile')
    .description('compare the servers with the metadata database and repair what is safe; never drops data')
    .option('--dry-run', 'only say what would be done', false)
    .option('--quarantine-foreign', 'also put databases aside that no deployment of this service made', false)
    .option('--json', 'one JSON document', false)
    .action(async (options: { dryRun: boolean; quarantineForeign: boolean; json: boolean }) => {
      const deps = await open();
      const { findings, unreachable } = await deps.reconcile(options);
      const { dryRun } = options;
      if (options.json)
        print(
          JSON.stringify(
            {
              dry_run: dryRun,
              findings: findings.map(findingJson),
              unreachable: unreachable.map(({ serverId, reason }) => ({ server_id: serverId, reason })),
            },
            null,
            2,
          ),
        );
      else for (const line of reportLines({ findings, unreachable }, dryRun)) print(line);
      const isLeft = ({ action }: Finding): boolean => dryRun || action === 'reported' || action === 'failed';
      if (unreachable.length > 0 || findings.some(isLeft)) exitWith(EXIT.findingsLeft);
    });
};

const addRotation = (databases: Command, { open, print, exitWith }: DatabaseContext): void => {
  databases
    .command('rotate-credentials')
    .description("give organizations' roles their passwords from DB_ROLE_SECRET; may be repeated")
    .action(async () => {
      const deps = await open();
      const { rotated, failures } = await deps.rotateCredentials();
      for (const { database, reason } of failures) print(`failed  ${database}: ${reason}`);
      print(`${rotated} roles have the password of today's secret, ${failures.length} failed.`);
      if (failures.length > 0) exitWith(EXIT.findingsLeft);
    });
};

const reportLines = ({ findings, unreachable }: ReconcileReport, dryRun: boolean): readonly string[] => [
  ...(findings.length > 0 || unreachable.length === 0 ? findingLines(findings, dryRun) : []),
  ...unreachable.map(({ serverId, reason }) => `not looked at: server ${serverId} (${reason})`),
];

const findingLines = (findings: readonly Finding[], dryRun: boolean): readonly string[] => {
  if (findings.length === 0) return ['Server and ledger agree.'];
  const lines = findings.map(({ kind, database, action }) => {
    const outcome = dryRun && action !== 'reported' ? `would be ${action}` : action;
    return `${kind.padEnd(12)} ${outcome.padEnd(dryRun ? 21 : 12)} ${database}`;
  });
  return dryRun ? [...lines, 'A dry run: nothing was changed.'] : lines;
};

const findingJson = ({ kind, serverId, database, organizationId, action }: Finding): object => ({
  kind,
  server_id: serverId,
  database,
  org_id: organizationId,
  action,
});

const recordLine = ({
  organizationId,
  serverId: server,
  databaseName,
  state,
  schemaVersion,
  lastError,
}: DatabaseRecord): string => {
  const version = schemaVersion === null ? 'no schema yet' : `version ${schemaVersion}`;
  const error = lastError === null ? '' : `: ${lastError}`;
  const place = server === DEFAULT_SERVER ? databaseName : `${databaseName} on ${server}`;
  return `${state.padEnd(12)} ${version.padEnd(13)} ${organizationId} (${place})${error}`;
};

const recordJson = (record: DatabaseRecord): object => ({
  org_id: record.organizationId,
  server_id: record.serverId,
  database: record.databaseName,
  state: record.state,
  schema_version: record.schemaVersion,
  last_error: record.lastError,
});
