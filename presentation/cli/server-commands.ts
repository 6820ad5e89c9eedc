import type { Command } from 'commander';
import type { ServerFinding } from '../../application/servers/judge-inspection.ts';
import type { ServerView } from '../../application/servers/server-view.ts';
import type { UseCases } from '../../application/use-cases.ts';
import type { ServerId, ServerLabels, ServerStatus } from '../../domain/databases/server.ts';
import { EXIT, examples, type CommandContext } from './command-context.ts';
import { plural } from './fleet-report.ts';
import { label, maxDatabases, NONE, serverName, weight } from './server-arguments.ts';

/** What the commands on servers act on. */
export type ServerCommandDependencies = Pick<UseCases, 'listServers' | 'changeServer' | 'checkServer'>;

type ServerContext = CommandContext<ServerCommandDependencies>;

/** Adds the commands on servers. Their names come from the configuration: DB_RESULTS_DB_TEMPLATE_<NAME>. */
export const addServerCommands = (program: Command, context: ServerContext): void => {
  const servers = program
    .command('servers')
    .description('PostgreSQL servers of results databases')
    .addHelpText(
      'after',
      '\nDB_RESULTS_DB_TEMPLATE is the server "default"; each DB_RESULTS_DB_TEMPLATE_<NAME> adds the server "<name>".',
    );
  addList(servers, context);
  addCheck(servers, context);
  addSet(servers, context);
  addStatus(servers, context, {
    name: 'activate',
    status: 'active',
    description: 'let a server take new databases',
  });
  addStatus(servers, context, {
    name: 'drain',
    status: 'draining',
    description:
      'place no new database on a server, and drop its spares; those there stay, moving them away comes later',
  });
  addStatus(servers, context, {
    name: 'disable',
    status: 'disabled',
    description: 'place no new database on a server; those there stay served',
  });
};

const addList = (servers: Command, { open, print }: ServerContext): void => {
  servers
    .command('list')
    .description('what is recorded of each server, in the order of their names; connects to none')
    .option('--json', 'one JSON document', false)
    .action(async ({ json }: { json: boolean }) => {
      const { listServers } = await open();
      const views = await listServers();
      if (json) print(JSON.stringify({ servers: views.map(serverJson) }, null, 2));
      else for (const line of [...views.map(serverLine), `${plural(views.length, 'server')}.`]) print(line);
    });
};

const addCheck = (servers: Command, { open, print, exitWith }: ServerContext): void => {
  servers
    .command('check')
    .description('say what is missing on a server, with the SQL to paste; exit code 3 when something is')
    .argument('<name>', '', serverName)
    .option('--json', 'one JSON document', false)
    .addHelpText(
      'after',
      '\nMakes two small databases there and drops them; the server writes a checkpoint for one.',
    )
    .action(async (name: ServerId, { json }: { json: boolean }) => {
      const { checkServer } = await open();
      const findings = await checkServer(name);
      if (json) print(JSON.stringify({ server_id: name, findings }, null, 2));
      else for (const line of findingLines(name, findings)) print(line);
      if (findings.some(({ level }) => level === 'missing')) exitWith(EXIT.findingsLeft);
    });
};

interface SetOptions {
  readonly weight?: number;
  readonly maxDatabases?: number | typeof NONE;
  readonly label?: ServerLabels;
  readonly json: boolean;
}

const addSet = (servers: Command, context: ServerContext): void => {
  servers
    .command('set')
    .description('limit a server, weigh it, or label it; what is left out stays')
    .argument('<name>', '', serverName)
    .option('--weight <number>', 'a server of twice the weight takes twice the databases', weight)
    .option('--max-databases <number|none>', 'most databases of organizations that it takes', maxDatabases)
    .option('--label <name=value|none>', 'may be repeated; together they replace all labels', label)
    .option('--json', 'one JSON document', false)
    .addHelpText('after', examples('mad servers set eu --weight 200 --max-databases 500 --label region=eu'))
    .action(
      async (
        name: ServerId,
        { label: labels, maxDatabases: limit, ...options }: SetOptions,
        command: Command,
      ) => {
        const changes = {
          ...(options.weight !== undefined && { weight: options.weight }),
          ...(limit !== undefined && { maxDatabases: limit === NONE ? null : limit }),
          ...(labels !== undefined && { labels }),
        };
        if (Object.keys(changes).length === 0) command.error('error: nothing to change was given');
        await change(context, name, changes, options);
      },
    );
};

const addStatus = (
  servers: Command,
  context: ServerContext,
  { name: verb, status, description }: { name: string; status: ServerStatus; description: string },
): void => {
  servers
    .command(verb)
    .description(description)
    .argument('<name>', '', serverName)
    .option('--json', 'one JSON document', false)
    .action((name: ServerId, options: { json: boolean }) => change(context, name, { status }, options));
};

const change = async (
  { open, print }: ServerContext,
  name: ServerId,
  changes: Parameters<ServerCommandDependencies['changeServer']>[2],
  { json }: { readonly json: boolean },
): Promise<void> => {
  // No actor: whoever may run this has the service's secrets.
  const { changeServer } = await open();
  const view = await changeServer(null, name, changes);
  print(json ? JSON.stringify(serverJson(view), null, 2) : serverLine(view));
};

const serverLine = (server: ServerView): string => {
  const { serverId, status, weight: weighs, databases, maxDatabases: limit, labels, isConfigured } = server;
  const count = limit === null ? plural(databases, 'database') : `${databases} of ${limit} databases`;
  const words = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const details = [`weight ${weighs}`, count, ...words, ...(isConfigured ? [] : ['not configured here'])];
  return `${serverId.padEnd(12)} ${status.padEnd(8)} ${details.join(', ')}`;
};

const serverJson = (server: ServerView): object => ({
  server_id: server.serverId,
  status: server.status,
  weight: server.weight,
  max_databases: server.maxDatabases,
  databases: server.databases,
  labels: server.labels,
  configured: server.isConfigured,
});

const findingLines = (name: ServerId, findings: readonly ServerFinding[]): readonly string[] => {
  const countOf = (level: ServerFinding['level']): number =>
    findings.filter((finding) => finding.level === level).length;
  const missing = countOf('missing');
  return [
    ...findings.flatMap(({ check, level, message, sql }) => [
      `${level.padEnd(8)} ${check.padEnd(12)} ${message}`,
      ...sql.map((statement) => `           ${statement}`),
    ]),
    `Server ${name}: ${missing === 0 ? 'nothing is missing' : `${missing} missing`}, ${plural(countOf('hint'), 'hint')}.`,
  ];
};
