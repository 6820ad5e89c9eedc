import { parseArgs } from 'node:util';
import type { Container } from 'inversify';
import { parseOrganizationId } from '../../domain/organizations/organization-id.ts';
import { reasonOf } from '../../domain/reason-of.ts';
import { TABLES, type DirectLook, type LookDirectly } from '../../presentation/demo/direct-look.ts';
import { EXIT } from '../../presentation/cli/command-context.ts';
import { DemoMisuseError } from '../../presentation/demo/demo-error.ts';
import { findService } from '../../presentation/demo/find-service.ts';
import { Narration } from '../../presentation/demo/narration.ts';
import { runDemo } from '../../presentation/demo/run-demo.ts';
import { MissingEngineError, VinaEngine } from '../../presentation/worker/vina-engine.ts';
import { createContainer } from '../composition/container.ts';
import { TOKENS } from '../composition/tokens.ts';
import { parseConfig, type Config } from '../config/config.ts';
import { readEnvironment } from '../config/read-environment.ts';
import { readEngineConfig } from '../config/worker-config.ts';
import { urlHost } from '../http-server/listening-address.ts';
import { prepareLocalCommand } from '../local/local-command.ts';
import { withoutEmpty } from '../local/local-start.ts';

/** Uses the service that runs here, or starts one on a free port and stops it at the end. */
const main = async (): Promise<void> => {
  const { write } = readOptions();
  const environment = readEnvironment();
  const local = await prepareLocalCommand(environment);
  try {
    // The service's log would interrupt the narration.
    const config = parseConfig({ LOG_LEVEL: 'error', ...local.environment });
    const isOwnDatabase = withoutEmpty(environment)['DB_DATABASE_URL'] !== undefined;
    if (isOwnDatabase && !write) throw new DemoMisuseError(unasked(config.database.metadataUrl.redacted));
    await runWith(config);
  } finally {
    await local.stop();
  }
};

const readOptions = (): { readonly write: boolean } => {
  try {
    return parseArgs({ options: { write: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    throw new DemoMisuseError(reasonOf(error));
  }
};

/** Somebody's production is no place for a demonstration that they did not ask for. */
const unasked = (deployment: string): string =>
  `The demo makes two organizations with their databases, and three users, in the deployment of ${deployment}. ` +
  'If that is what you want: npm run demo -- --write';

const runWith = async (config: Config): Promise<void> => {
  const say = new Narration((text) => process.stdout.write(text));
  if (config.tokens.secret === null)
    throw new Error('JWT_SECRET is not set: without it this deployment issues no tokens');
  const container = createContainer(config);
  const token = container.get(TOKENS.useCases).issueOperatorToken();
  const running = await findService({ ...config.http, host: urlHost(config.http.host) }, token);
  const started =
    running === null
      ? await createContainer({ ...config, http: { ...config.http, port: 0 } })
          .get(TOKENS.service)
          .start()
      : null;
  try {
    const url = running ?? started?.url ?? '';
    say.step('The service');
    say.line(running === null ? `started for this demo: ${url}` : `already running: ${url}`);
    say.line(`metadata database: ${config.database.metadataUrl.redacted}`);
    const engine = await findVina();
    const link = await runDemo(
      { url, operatorToken: token, lookDirectly: directLook(container), engine },
      say,
    );
    say.step('The poses in the console, logged in as the chemist');
    // A service that was started for the demo ends with it.
    if (running === null) say.line('Start the service ("npm start"), and open');
    say.line(`${running ?? `http://${urlHost(config.http.host)}:${config.http.port}`}${link}`);
  } finally {
    await container.get(TOKENS.connectionManager).closeAll();
    await started?.stop();
  }
};

/** Null where it is not installed. */
const findVina = async (): Promise<VinaEngine | null> => {
  try {
    return await VinaEngine.find(readEngineConfig(readEnvironment()));
  } catch (error) {
    if (error instanceof MissingEngineError) return null;
    throw error;
  }
};

/** Connects as the owner of the databases, to where the ledger says that the organization's is. */
const directLook =
  (container: Container): LookDirectly =>
  async (organizationId, jobIds) => {
    const { maxOrganizationIdLength } = container.get(TOKENS.config).database;
    const id = parseOrganizationId(organizationId, maxOrganizationIdLength);
    const record = await container.get(TOKENS.databaseLedger).find(id);
    if (record === null) throw new Error(`the ledger has no database of ${id}`);
    const server = container.get(TOKENS.servers).of(record.serverId);
    const connection = await server.connectAsOwner(record.databaseName);
    try {
      const counts = TABLES.map((table) => `'${table}', (select count(*) from ${table})`);
      const [row] = await connection.query<DirectLook>({
        text: `select current_database() as database,
                 json_build_object(${counts.join(', ')}) as counts,
                 array(select job_id::text from docking_jobs where job_id = any ($1::uuid[])) as found`,
        values: [jobIds],
      });
      if (row === undefined) throw new Error('a select without a table gives one row');
      return row;
    } finally {
      await connection.close();
    }
  };

main().then(
  () => process.stdout.write('\nAll as it should be.\n'),
  (error: unknown) => {
    const isMisuse = error instanceof DemoMisuseError;
    process.exitCode = isMisuse ? EXIT.misused : EXIT.failed;
    process.stderr.write(isMisuse ? `${error.message}\n` : `\nThe demo failed: ${reasonOf(error)}\n`);
  },
);
