import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { sqlStateOf } from '../../infrastructure/postgres/postgres-errors.ts';
import type { PgConnection } from '../../infrastructure/postgres/pg-connection.ts';
import type { ServerSession } from '../../infrastructure/servers/server-session.ts';

/** What the administrator's sessions ran: statements without values, that is DDL. */
export interface AdminStatement {
  readonly text: string;
  /** SQLSTATE; null when it went well. */
  readonly sqlState: string | null;
}

/** Records the DDL of a started container's administrator sessions as it ends. */
export const watchAdminStatements = (container: Container): readonly AdminStatement[] => {
  const statements: AdminStatement[] = [];
  const watched = new WeakSet<PgConnection>();
  const watch = (connection: PgConnection): void => {
    if (watched.has(connection)) return;
    watched.add(connection);
    const execute = connection.execute.bind(connection);
    connection.execute = async (text) => {
      try {
        const tag = await execute(text);
        statements.push({ text, sqlState: null });
        return tag;
      } catch (error) {
        statements.push({ text, sqlState: sqlStateOf(error) ?? 'none' });
        throw error;
      }
    };
  };
  const pool = container.get(TOKENS.adminSql);
  const session = pool.session.bind(pool);
  pool.session = (work) =>
    session((connection) => {
      watch(connection);
      return work(connection);
    });
  return statements;
};

/** Does something ahead of each clone of a started container, that of a spare included; a rejection is the clone's. */
export const beforeEachClone = (container: Container, act: () => void | Promise<void>): void => {
  const pool = container.get(TOKENS.adminSql);
  const session = pool.session.bind(pool);
  pool.session = (work) =>
    session(async (connection) => {
      const execute = connection.execute.bind(connection);
      connection.execute = async (text) => {
        if (/^create database .* template /.test(text)) await act();
        return execute(text);
      };
      try {
        return await work(connection);
      } finally {
        connection.execute = execute;
      }
    });
};

/** `create database` statements that took effect, those for templates apart. */
export const createdDatabases = (statements: readonly AdminStatement[]): readonly string[] =>
  statements
    .filter(
      ({ text, sqlState }) =>
        sqlState === null && text.startsWith('create database') && text.includes(' template '),
    )
    .map(({ text }) => text);

/**
 * What is done for the databases of organizations, each in one act: for the template they are cloned from, for one that
 * is made, and for one that is put aside.
 */
export type ProvisioningStep =
  | 'build template'
  | 'seal template'
  | 'claim'
  | 'clone'
  | 'restrict'
  | 'adopt'
  | 'complete'
  | 'quarantine'
  | 'forget';

/** What a test does around a step: `proceed` runs it. A name that the step concerns comes with it. */
export type StepHook = (step: ProvisioningStep, proceed: () => Promise<void>, name: string) => Promise<void>;

/** Puts a hook around every provisioning step of a started container. */
export const hookProvisioning = (container: Container, hook: StepHook): void => {
  const around = async <Result>(
    step: ProvisioningStep,
    name: string,
    run: () => Promise<Result>,
  ): Promise<Result> => {
    const results: Result[] = [];
    await hook(step, async () => void results.push(await run()), name);
    const [result] = results;
    if (results.length === 0) throw new Error(`the hook never ran the step ${step}`);
    // One element, as the line above proves; it may be undefined itself.
    return result as Result;
  };

  const ledger = container.get(TOKENS.databaseLedger);
  const claim = ledger.claim.bind(ledger);
  const complete = ledger.complete.bind(ledger);
  ledger.claim = (...values) => around('claim', values[1], () => claim(...values));
  const forget = ledger.completeRetirement.bind(ledger);
  ledger.complete = (...values) => around('complete', values[1].databaseName, () => complete(...values));
  ledger.completeRetirement = (...values) => around('forget', values[0], () => forget(...values));

  const hookSession = (session: ServerSession): ServerSession => {
    const createEmpty = session.createEmpty.bind(session);
    const seal = session.seal.bind(session);
    const clone = session.clone.bind(session);
    const quarantine = session.quarantine.bind(session);
    const restrict = session.restrict.bind(session);
    const adopt = session.adopt.bind(session);
    session.createEmpty = (name) => around('build template', name, () => createEmpty(name));
    session.seal = (...values) =>
      // Also the last act of putting a database aside.
      values[1].startsWith('template.')
        ? around('seal template', values[1], () => seal(...values))
        : seal(...values);
    session.quarantine = (...values) => around('quarantine', values[0], () => quarantine(...values));
    session.clone = (...values) => around('clone', values[1], () => clone(...values));
    session.restrict = (...values) => around('restrict', values[0], () => restrict(...values));
    session.adopt = (...values) => around('adopt', values[1], () => adopt(...values));
    return session;
  };
  const server = container.get(TOKENS.resultsServer);
  const exclusively = server.exclusively.bind(server);
  server.exclusively = (name, work) => exclusively(name, (session) => work(hookSession(session)));
};
