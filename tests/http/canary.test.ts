import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import type { TokenReply, UserReply } from '../support/access-contract.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { terminateBackends } from '../support/server-faults.ts';
import { until } from '../support/gate.ts';
import { send, type CallOptions, type Method } from '../support/send.ts';

/** Secrets of every kind that passes through the service, each to be known again wherever it turns up. */
const SECRETS = {
  databasePassword: 'canary-1-database-password',
  signingKey: 'canary-2-signing-key-of-more-than-32-characters',
  roleSecret: 'canary-3-role-secret-of-more-than-32-characters',
  bootstrapPassword: 'canary-4-bootstrap-password',
  firstPassword: 'canary-5-first-password',
  chosenPassword: 'canary-6-chosen-password',
  wrongPassword: 'canary-7-wrong-password',
  madeUpToken: 'canary-8-made-up-token',
  sqlParameter: 'canary-9-sql-parameter',
  header: 'canary-10-header',
  wrongKey: 'mad_sk_canary-11-wrong-key',
} as const;

describe('Secrets', function () {
  this.timeout(90_000);
  let deployment: Deployment;
  let service: HttpProcess;
  let url: string;
  /** What clients were answered, tokens in answers to logins left out: those are theirs. */
  const answers: string[] = [];
  /** Tokens that were handed out: not to be seen anywhere else. */
  const tokens: string[] = [];

  before(async () => {
    deployment = await createDeployment();
    const role = deployment.metadataDatabase.replace('metadata', 'canary');
    await deployment.administer(`create role ${role} superuser login password '${SECRETS.databasePassword}'`);
    const withPassword = (text: string): string => {
      const [, host = ''] = /@([^/]+)\//.exec(text) ?? /\/\/([^/]+)\//.exec(text) ?? [];
      return text.replace(/\/\/[^/]+\//, `//${role}:${SECRETS.databasePassword}@${host}/`);
    };
    service = await startHttpProcess({
      ...deployment.environment,
      LOG_LEVEL: 'trace',
      DB_DATABASE_URL: withPassword(deployment.environment['DB_DATABASE_URL'] ?? ''),
      DB_RESULTS_DB_TEMPLATE: withPassword(deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? ''),
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: SECRETS.roleSecret,
      JWT_SECRET: SECRETS.signingKey,
      BOOTSTRAP_ADMIN_EMAIL: 'root@example.org',
      BOOTSTRAP_ADMIN_PASSWORD: SECRETS.bootstrapPassword,
    });
    url = await service.listening();
    await exercise();
  });
  after(async () => {
    await service.dispose();
    await deployment.dispose();
  });

  const call = async <Body>(method: Method, path: string, options: CallOptions) => {
    const reply = await send<Body>(url, method, path, options);
    answers.push(JSON.stringify(reply.headers));
    if (!path.startsWith('/auth/') || reply.status >= 400) answers.push(reply.text);
    return reply;
  };
  const login = async (body: object): Promise<TokenReply> => {
    const reply = await call<TokenReply>('POST', '/auth/token', { body });
    if (reply.status === 200) tokens.push(reply.body.access_token, reply.body.refresh_token);
    return reply.body;
  };

  /** Sends every secret along every way that it can go, the wrong ones included. */
  const exercise = async (): Promise<void> => {
    const root = await login({ email: 'root@example.org', password: SECRETS.bootstrapPassword });
    const token = root.access_token;
    const email = 'ada@example.org';
    const made = await call<UserReply>('POST', '/users', {
      token,
      body: { email, password: SECRETS.firstPassword },
    });
    expect(made.status).to.equal(201);
    await call('POST', '/organizations', { token, body: { org_id: 'alpha', name: 'Alpha' } });
    const roles = ['member', 'org_admin', 'worker'];
    await call('POST', '/organizations/alpha/members', { token, body: { email, roles } });
    await login({ email, password: SECRETS.firstPassword });
    await login({ email, password: SECRETS.wrongPassword });
    await login({ key: SECRETS.wrongKey });
    const ada = await login({
      email,
      password: SECRETS.firstPassword,
      new_password: SECRETS.chosenPassword,
    });
    const refreshed = await call<TokenReply>('POST', '/auth/refresh', {
      body: { refresh_token: ada.refresh_token },
    });
    tokens.push(refreshed.body.access_token, refreshed.body.refresh_token);
    const job = await call('POST', '/jobs', {
      token: refreshed.body.access_token,
      body: { engine: 'vina', inputs: { a: SECRETS.sqlParameter } },
    });
    expect(job.status).to.equal(201);

    const path = `/users/${made.body.user_id}/password`;
    for (const options of [
      { token: SECRETS.madeUpToken },
      { token, body: `{"password": "${SECRETS.wrongPassword}` },
      { token, body: { password: [SECRETS.wrongPassword] } },
      { token, body: { password: 'short', surplus: SECRETS.header } },
      { token, body: { password: SECRETS.wrongPassword }, headers: { 'X-Org-Id': 'Bad Id' } },
      { token, headers: { 'X-Padding': SECRETS.header.repeat(2000) } },
      { token, headers: { 'X-Request-Id': `${SECRETS.header} with spaces` } },
    ]) {
      await call('PUT', path, options);
    }
    await call('POST', '/auth/logout', { body: { refresh_token: SECRETS.madeUpToken } });
    await call('POST', '/auth/refresh', { body: { refresh_token: SECRETS.madeUpToken } });
    await call('GET', `/jobs?cursor=${SECRETS.madeUpToken}`, { token: ada.access_token });
    await call('GET', `/jobs?access_token=${SECRETS.madeUpToken}`, {});
    await faultsOfTheDatabase(token, email);
    // The used token comes back: the session ends.
    await call('POST', '/auth/refresh', { body: { refresh_token: ada.refresh_token } });
    for (const page of ['/metrics', '/ready', '/openapi.json', '/docs']) await call('GET', page, {});
  };

  /** Errors of PostgreSQL, which says in their details what was in the row. */
  const faultsOfTheDatabase = async (token: string, email: string): Promise<void> => {
    const { metadataDatabase } = deployment;
    await deployment.administer(
      'alter table users add constraint users_closed check (false) not valid',
      [],
      metadataDatabase,
    );
    const failed = await call('POST', '/users', {
      token,
      body: { email: `${SECRETS.sqlParameter}@example.org`, password: SECRETS.firstPassword },
    });
    expect(failed.status).to.equal(500);
    await deployment.administer('alter table users drop constraint users_closed', [], metadataDatabase);
    await terminateBackends(deployment, metadataDatabase);
    await until('the metadata database is back', async () => {
      const { status } = await call('GET', '/organizations', { token });
      return status === 200;
    });
    await login({ email, password: SECRETS.chosenPassword });
  };

  const expectNone = (what: string, text: string): void => {
    const secrets: readonly string[] = [...Object.values(SECRETS), ...tokens];
    const found = secrets.filter((secret) => text.includes(secret));
    expect(found, what).to.deep.equal([]);
    expect(text, `a password's hash in ${what}`).not.to.include('$argon2id$');
  };

  it('never reach the log, whatever its level', () => {
    const log = service.stdout() + service.stderr();
    expect(log.split('\n').length).to.be.greaterThan(30);
    expect(log, 'the failed statement is in the log').to.include('users_closed');
    expectNone('the log', log);
  });

  it('never reach an answer, an error, a header, the metrics or the documentation', () => {
    expect(answers.length).to.be.greaterThan(40);
    expect(answers.join('\n')).to.include('mad_http_request_duration_seconds').and.to.include('"openapi"');
    // The job that was submitted comes back with its inputs.
    const text = answers.filter((answer) => !answer.includes('"inputs"')).join('\n');
    expectNone('the answers', text);
  });

  it('never reach what other users of the machine can see of the process', async function () {
    // Only there the kernel shows these as files.
    if (process.platform !== 'linux') this.skip();
    const read = (file: string): Promise<string> => readFile(`/proc/${service.pid}/${file}`, 'utf8');
    for (const file of ['cmdline', 'comm']) expectNone(file, await read(file));
    // What only its owner can see holds them: they would be found.
    expect(await read('environ'))
      .to.include(SECRETS.signingKey)
      .and.to.include(SECRETS.databasePassword);
  });

  it('never reach what other clients of the database server can see of the sessions', async () => {
    const rows = await deployment.administer<{ text: string }>(
      `select a::text as text from pg_stat_activity a where datname like $1`,
      [`${deployment.metadataDatabase.replace('metadata', '')}%`],
    );
    expect(rows.length).to.be.greaterThan(1);
    expectNone('the sessions', rows.map(({ text }) => text).join('\n'));
  });

  it('are in no table of the metadata database', async () => {
    const tables = await deployment.administer<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
      [],
      deployment.metadataDatabase,
    );
    for (const { name } of tables) {
      const rows = await deployment.administer<{ text: string }>(
        `select t::text as text from "${name}" t`,
        [],
        deployment.metadataDatabase,
      );
      const text = rows.map((row) => row.text).join('\n');
      // Hashes of passwords are what this one is for.
      expectNone(name, name === 'identities' ? text.replaceAll('$argon2id$', '') : text);
    }
  });
});
