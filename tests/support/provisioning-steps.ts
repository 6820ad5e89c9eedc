import type { Container } from 'inversify';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { sqlStateOf } from '../../infrastructure/postgres/postgres-errors.ts';
import type { StatementObserver } from '../../infrastructure/postgres/connection-options.ts';
import { decorate } from './decorate.ts';

/** What the administrator's sessions ran: statements without values, that is DDL. */
export interface AdminStatement {
  readonly text: string;
  /** SQLSTATE; null when it went well. */
  readonly sqlState: string | null;
}

/** Sees the DDL of a container's administrator sessions. Call it before anything is asked of the container. */
const observeAdminStatements = (container: Container, around: StatementObserver['around']): void => {
  const inner = container.get(TOKENS.adminStatements);
  container.rebind(TOKENS.adminStatements).toConstantValue({
    around: (text, run) => around(text, () => (inner === null ? run() : inner.around(text, run))),
  });
};

/** Records the DDL of a container's administrator sessions as it ends. Call it first of all. */
export const watchAdminStatements = (container: Container): readonly AdminStatement[] => {
  const statements: AdminStatement[] = [];
  observeAdminStatements(container, async (text, run) => {
    try {
      const result = await run();
      statements.push({ text, sqlState: null });
      return result;
    } catch (error) {
      statements.push({ text, sqlState: sqlStateOf(error) ?? 'none' });
      throw error;
    }
  });
  return statements;
};

/** Does something ahead of each clone, that of a spare included; a rejection is the clone's. Call it first of all. */
export const beforeEachClone = (container: Container, act: () => void | Promise<void>): void => {
  observeAdminStatements(container, async (text, run) => {
    if (/^create database .* template /.test(text)) await act();
    return run();
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

/** What a statement of an administrator's session does for a database, and the name that it concerns. */
const stepOf = (text: string): { readonly step: ProvisioningStep; readonly name: string } | null => {
  for (const [step, pattern] of STEPS) {
    const name = pattern.exec(text)?.[1];
    if (name !== undefined) return { step, name };
  }
  return null;
};

const STEPS: readonly (readonly [ProvisioningStep, RegExp])[] = [
  ['seal template', /alter database "[^"]+" rename to "(template\.[^"]+)"/],
  [
    'adopt',
    /^begin;\s+(?:do '.*?end';\s+)?comment on database "[^"]+" is .*?alter database "[^"]+" rename to "([^"]+)"/s,
  ],
  // A database that an operator gives to an organization may have its name already.
  ['adopt', /^begin;\s+comment on database "([^"]+)" is /],
  ['quarantine', /^alter database "([^"]+)" with allow_connections false$/],
  ['build template', /^create database "(build\.[^"]+)"/],
  ['clone', /^create database "([^"]+)" template /],
  // The service's own databases are closed to others in the same way.
  ['restrict', /^revoke all on database "((?!admin\.|build\.)[^"]+)" from public(?:;|$)/],
];

/**
 * Puts a hook around every provisioning step of a container. Call it before anything is asked of the container. It may
 * be called again: then the later hook is the outer one.
 */
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
  observeAdminStatements(container, (text, run) => {
    const found = stepOf(text);
    return found === null ? run() : around(found.step, found.name, run);
  });
  decorate(container, TOKENS.databaseLedger, (ledger) => ({
    claim: (organizationId, ...values) =>
      around('claim', organizationId, () => ledger.claim(organizationId, ...values)),
    complete: (organizationId, spare, path) =>
      around('complete', spare.databaseName, () => ledger.complete(organizationId, spare, path)),
    completeRetirement: (database, renamedTo) =>
      around('forget', database.organizationId, () => ledger.completeRetirement(database, renamedTo)),
  }));
};
