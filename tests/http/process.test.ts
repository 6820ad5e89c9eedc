import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect } from 'chai';
import { createDeployment, TEST_JWT_SECRET, type Deployment } from '../support/deployment.ts';
import { EventClient } from '../support/event-client.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Job, Page } from '../support/http-contract.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { send, type Reply } from '../support/send.ts';
import { lockTable } from '../support/server-faults.ts';

const CANARY = 'canary-Passw0rd-of-nobody';

describe('The process', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  const processes: HttpProcess[] = [];

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('alpha');
  });
  afterEach(async () => {
    await Promise.all(processes.splice(0).map((each) => each.dispose()));
  });
  after(() => deployment.dispose());

  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<HttpProcess> => {
    const started = await startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'info', ...settings });
    processes.push(started);
    return started;
  };
  const member = (): string => deployment.token('alpha', ['member']);
  const refusesConnections = async (url: string): Promise<boolean> => {
    try {
      await send(url, 'GET', '/health');
      return false;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
    }
  };
  /** A request that stands still in the middle of its statement until `release`. */
  const slowRequest = async (url: string) => {
    const first = await send(url, 'GET', '/jobs', { token: member() });
    expect(first.status, first.text).to.equal(200);
    const lock = await lockTable(deployment, deployment.databaseName('alpha'), 'docking_jobs');
    const reply: Promise<Reply<Page<Job>>> = send(url, 'GET', '/jobs', { token: member() });
    reply.catch(() => undefined);
    await until('the request waits for the table', async () => {
      const waiting = await deployment.administer(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
        [deployment.databaseName('alpha')],
      );
      return waiting.length > 0;
    });
    return { reply, release: () => lock.release() };
  };

  it('finishes a slow request after SIGTERM, takes no new one, and exits with 0', async () => {
    const service = await start();
    const url = await service.listening();
    const slow = await slowRequest(url);
    try {
      service.kill('SIGTERM');
      await until('no new connection is taken', () => refusesConnections(url));
      const state = await Promise.race([service.exited, Promise.resolve('still running')]);
      expect(state).to.equal('still running');
    } finally {
      await slow.release();
    }

    const { status, body } = await slow.reply;
    expect([status, Array.isArray(body.items)]).to.deep.equal([200, true]);
    expect(await service.exited).to.deep.equal({ code: 0, signal: null });
    expect(service.stderr()).to.equal('');
    const sessions = await deployment.administer(
      `select application_name from pg_stat_activity where datname = any($1) and application_name like 'mad %'`,
      [[deployment.databaseName('alpha'), deployment.metadataDatabase]],
    );
    expect(sessions).to.deep.equal([]);
  });

  /** The last line of its log. */
  const lastWord = ({ stdout }: HttpProcess): Readonly<Record<string, unknown>> => {
    const line: unknown = JSON.parse(stdout().trimEnd().split('\n').at(-1) ?? '');
    if (typeof line !== 'object' || line === null) throw new Error('a line of the log is an object');
    return { ...line };
  };
  const logged = ({ stdout }: HttpProcess, message: string): readonly string[] =>
    stdout()
      .split('\n')
      .filter((line) => line.includes(`"msg":"${message}`));

  it('stops in good order when its terminal is closed, says which signal it heard, and at the end that it has', async () => {
    const service = await start();
    await service.listening();
    service.kill('SIGHUP');
    expect(await service.exited).to.deep.equal({ code: 0, signal: null });
    expect(lastWord(service)).to.include({ level: 'info', msg: 'stopped' });
    expect(logged(service, 'stopping').join()).to.include('"signal":"SIGHUP"');
  });

  it('still serves while load balancers learn from /ready that it stops', async () => {
    const service = await start({ SHUTDOWN_DELAY_MS: '20000' });
    const url = await service.listening();
    expect((await send(url, 'GET', '/ready')).status).to.equal(200);
    service.kill('SIGTERM');
    await until('/ready says it', async () => (await send(url, 'GET', '/ready')).status === 503);
    const { status, headers } = await send(url, 'GET', '/jobs', { token: member() });
    expect([status, headers['connection']]).to.deep.equal([200, 'close']);
    service.kill('SIGINT');
    expect((await service.exited).code, 'a second signal does not wait for the end of the delay').to.equal(1);
  });

  it('takes no longer to stop than its one deadline says, and tells by its exit code that not all had ended', async () => {
    const service = await start({ SHUTDOWN_TIMEOUT_MS: '1500' });
    const slow = await slowRequest(await service.listening());
    try {
      const since = performance.now();
      service.kill('SIGTERM');
      expect((await service.exited).code).to.equal(1);
      // The one bound in time that is the behaviour itself, with room for a busy machine.
      expect(performance.now() - since).to.be.below(4000);
    } finally {
      await slow.release();
    }
    const word = lastWord(service);
    expect(word).to.include({ level: 'error', msg: 'stopped before everything had ended' });
    expect(word['unfinished']).to.include('requests');
  });

  it('starts where a newer release has been, and names that, a mistyped variable, the missing administrator and an address', async () => {
    await deployment.metadata(
      `insert into knex_migrations (name, batch) values ('9999_of_the_next_release', 99)`,
    );
    const service = await start({ DB_POOLSIZE: '7', HOST: '0.0.0.0' });
    const url = await service.listening();
    expect(new URL(url).hostname).to.equal('127.0.0.1');
    expect((await send(url, 'GET', '/health')).status).to.equal(200);
    const [newer] = logged(service, 'a newer release has migrated the metadata database');
    expect(newer).to.include('"newer":["9999_of_the_next_release"]').and.include('"level":"warn"');
    await deployment.metadata(`delete from knex_migrations where batch = 99`);
    const [variable] = logged(service, 'a variable is set that nobody reads');
    expect(variable)
      .to.include('"variable":"DB_POOLSIZE","meant":"DB_POOL_SIZE"')
      .and.include('"level":"warn"');
    await until('it says that nobody may administer it', () =>
      logged(service, 'no platform administrator exists').some((line) => line.includes('"level":"warn"')),
    );
  });

  it('tells in its metrics how each background task is doing', async () => {
    const service = await start();
    const url = await service.listening();
    const values = async (metric: string): Promise<Readonly<Record<string, number>>> => {
      const { text } = await send(url, 'GET', '/metrics');
      const lines = text.matchAll(new RegExp(`^mad_${metric}\\{task="(\\w+)"\\} (\\S+)$`, 'gm'));
      return Object.fromEntries([...lines].map(([, task, value]) => [task, Number(value)]));
    };
    const failures = await values('background_failures_total');
    expect(Object.keys(failures)).to.have.members([
      'connection_share',
      'change_feed',
      'process_beat',
      'usage',
      'migration_runs',
      'cluster_survey',
      'outbox_relay',
      'event_streams',
      'operator_streams',
      'spare_refill',
      'fleet_snapshot',
      'schema_guard',
      'health_monitor',
      'denied_access',
      'server_sizes',
      'pool_sweep',
    ]);
    expect(new Set(Object.values(failures))).to.deep.equal(new Set([0]));
    const lastSuccess = await values('background_last_success_timestamp_seconds');
    expect(lastSuccess['connection_share']).to.be.closeTo(Date.now() / 1000, 10);
    expect(lastSuccess['change_feed']).to.be.closeTo(Date.now() / 1000, 10);
    expect((await values('background_last_run_seconds'))['change_feed']).to.be.within(0, 10);
  });

  it('exits as soon as the last request is answered, although the client would keep its connection', async () => {
    const service = await start();
    const slow = await slowRequest(await service.listening());
    service.kill('SIGTERM');
    await until('no new connection is taken', async () => refusesConnections(await service.listening()));
    await slow.release();
    await slow.reply;
    const since = performance.now();
    expect((await service.exited).code).to.equal(0);
    expect(performance.now() - since).to.be.lessThan(2000);
  });

  it('ends streams of events at its stop, which they do not delay, and their clients come back', async () => {
    const service = await start();
    const url = await service.listening();
    const client = new EventClient(`${url}/events`, member());
    await until('the stream is open', () => client.isOpen);
    service.kill('SIGTERM');
    expect(await service.exited).to.deep.equal({ code: 0, signal: null });
    expect(lastWord(service)).to.include({ level: 'info', msg: 'stopped' });
    expect(Number(lastWord(service)['took_ms'])).to.be.below(5000);
    await until('the client tries again', () => client.attempts.length > 1);
    client.close();
  });

  it('waits for nobody who has asked for nothing, and tells who has that the connection ends', async () => {
    const service = await start();
    const url = await service.listening();
    const { hostname, port } = new URL(url);
    const strangers = ['', 'GET /health HTTP/1.1\r\nHost:'].map((bytes) => {
      const socket = connect(Number(port), hostname, () => socket.write(bytes));
      socket.on('error', () => undefined);
      return socket;
    });
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    const slow = await slowRequest(url);
    service.kill('SIGTERM');
    await until('no new connection is taken', () => refusesConnections(url));
    await slow.release();
    expect((await slow.reply).headers['connection']).to.equal('close');
    expect(await service.exited).to.deep.equal({ code: 0, signal: null });
    expect(service.stderr()).to.equal('');
    for (const socket of strangers) socket.destroy();
  });

  it('takes a signal that comes twice at once, from a terminal and through npm, for one', async () => {
    const service = await start();
    const slow = await slowRequest(await service.listening());
    service.kill('SIGINT');
    service.kill('SIGINT');
    await until('no new connection is taken', async () => refusesConnections(await service.listening()));
    service.kill('SIGINT');
    await slow.release();
    expect((await slow.reply).status).to.equal(200);
    expect(await service.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('leaves at once on a second signal', async () => {
    const service = await start();
    const url = await service.listening();
    const slow = await slowRequest(url);
    try {
      service.kill('SIGTERM');
      await until('no new connection is taken', () => refusesConnections(url));
      const since = performance.now();
      service.kill('SIGINT');
      const { code } = await service.exited;
      expect(performance.now() - since).to.be.lessThan(2000);
      expect(code).not.to.equal(0);
      expect(
        await slow.reply.then(
          () => 'answered',
          () => 'broken off',
        ),
      ).to.equal('broken off');
    } finally {
      await slow.release();
    }
  });

  it('server-restarted keeps all data', async () => {
    const login = { email: 'root@example.org', password: CANARY };
    const settings = { BOOTSTRAP_ADMIN_EMAIL: login.email, BOOTSTRAP_ADMIN_PASSWORD: CANARY };
    const first = await start(settings);
    const url = await first.listening();
    const { body: token } = await send<{ access_token: string }>(url, 'POST', '/auth/token', { body: login });
    const created = await send(url, 'POST', '/organizations', {
      token: token.access_token,
      body: { org_id: 'kept', name: 'Kept' },
    });
    expect(created.status).to.equal(201);
    const worker = deployment.token('kept', ['member', 'worker', 'org_admin']);
    const submitted = await send<Job>(url, 'POST', '/jobs', {
      token: worker,
      body: { engine: 'vina', inputs: { ligand: 'imatinib' } },
      headers: { 'Idempotency-Key': 'kept' },
    });
    const job = `/jobs/${submitted.body.job_id}`;
    await send(url, 'PUT', `${job}/task-results/docking`, {
      token: worker,
      body: { service_name: 'vina', result_data: { affinity: -13.2 } },
    });
    await send(url, 'POST', `${job}/artifacts`, {
      token: worker,
      body: { name: 'a', purpose: 'b', uri: 'file:///a' },
    });
    await send(url, 'PUT', '/organizations/kept/settings', { token: worker, body: { settings: { a: 1 } } });
    await send(url, 'PATCH', job, { token: worker, body: { status: 'RUNNING' } });
    await send(url, 'PATCH', job, { token: worker, body: { status: 'COMPLETED' } });
    const paths = [
      job,
      '/jobs',
      `${job}/task-results`,
      `${job}/artifacts`,
      '/organizations/kept',
      '/organizations/kept/settings',
      '/organizations/kept/audit-logs',
      `/organizations/kept/input-signatures/${submitted.body.input_signature}`,
    ];
    const readAll = (from: string) =>
      Promise.all(paths.map(async (path) => (await send(from, 'GET', path, { token: worker })).body));
    await until('the trail holds every write', async () => {
      const path = '/organizations/kept/audit-logs';
      return (await send<Page<AuditEntry>>(url, 'GET', path, { token: worker })).body.items.length === 8;
    });
    const before = await readAll(url);
    first.kill('SIGINT');
    expect((await first.exited).code).to.equal(0);

    const second = await start(settings);
    const again = await second.listening();
    expect(await readAll(again)).to.deep.equal(before);
    expect((await send(again, 'POST', '/auth/token', { body: login })).status).to.equal(200);
    const replayed = await send<Job>(again, 'POST', '/jobs', {
      token: worker,
      body: { engine: 'vina', inputs: { ligand: 'imatinib' } },
      headers: { 'Idempotency-Key': 'kept' },
    });
    expect([replayed.status, replayed.body.job_id]).to.deep.equal([200, submitted.body.job_id]);
    second.kill('SIGTERM');
    await second.exited;

    expect(logged(second, 'no platform administrator')).to.deep.equal([]);
    for (const text of [first.stdout(), first.stderr(), second.stdout(), second.stderr()]) {
      for (const secret of [CANARY, worker, token.access_token, TEST_JWT_SECRET])
        expect(text).not.to.include(secret);
    }
    expect(first.stdout()).to.match(/"org_id":"kept"/);
    expect(first.stdout()).to.match(/"request_id":"[0-9a-f-]{36}"/);
  });

  const bad: Readonly<Record<string, readonly [Record<string, string>, RegExp]>> = {
    'a port that is no number': [
      { PORT: 'http' },
      /^PORT holds "http"; it takes a whole number from 0 to 65535$/,
    ],
    'a short key': [
      { JWT_SECRET: CANARY },
      /^JWT_SECRET holds .*25 characters; it takes at least 32 characters$/,
    ],
    'a template without a place for the organization': [
      { DB_RESULTS_DB_TEMPLATE: `postgresql://mad:${CANARY}@127.0.0.1/results` },
      /^DB_RESULTS_DB_TEMPLATE holds .*\{org_id\}/,
    ],
    'a database of another kind': [
      { DB_DATABASE_URL: `mysql://mad:${CANARY}@127.0.0.1/mad` },
      /^DB_DATABASE_URL holds .*it takes postgresql:\/\//,
    ],
  };
  for (const [what, [settings, line]] of Object.entries(bad)) {
    it(`does not start with ${what}, and says so in one line without a secret`, async () => {
      const service = await start(settings);
      const { code } = await service.exited;
      expect(code).to.be.a('number').that.is.not.equal(0);
      const lines = service.stderr().trimEnd().split('\n');
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(line);
      expect(service.stdout() + service.stderr()).not.to.include(CANARY);
    });
  }

  it('tells every value that it cannot use, a line each', async () => {
    const names = ['PORT', 'READY_STRICT', 'NODE_ENV', 'LOG_LEVEL', 'DB_POOL_SIZE', 'DB_CONNECTION_BUDGET'];
    const service = await start(Object.fromEntries(names.map((name) => [name, '-1'])));
    expect((await service.exited).code).not.to.equal(0);
    const lines = service.stderr().trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).to.have.members(names);
    for (const line of lines) expect(line).to.match(/^\w+ holds "-1"; it takes .+$/);
  });

  it('does not start without its metadata server, and says so in one line without a secret', async () => {
    const port = await closedPort();
    const service = await start({ DB_DATABASE_URL: `postgresql://mad:${CANARY}@127.0.0.1:${port}/mad` });
    const { code } = await service.exited;
    expect(code).to.be.a('number').that.is.not.equal(0);
    expect(service.stderr().trimEnd().split('\n')).to.have.length(1);
    expect(service.stderr()).to.match(
      new RegExp(
        `^The service cannot start: DB_DATABASE_URL holds postgresql://mad:\\*\\*\\*@127\\.0\\.0\\.1:${port}/mad: connect ECONNREFUSED`,
      ),
    );
    expect(service.stdout() + service.stderr()).not.to.include(CANARY);
  });

  it('does not start on a port that is taken, and says so in one line before it asks for anything else', async () => {
    const first = await start();
    const { port } = new URL(await first.listening());
    const nowhere = `postgresql://mad:${CANARY}@127.0.0.1:${await closedPort()}/mad`;
    const second = await start({ PORT: port, DB_DATABASE_URL: nowhere });
    expect((await second.exited).code)
      .to.be.a('number')
      .that.is.not.equal(0);
    expect(second.stderr()).to.match(
      new RegExp(
        `^The service cannot start: HOST holds 127\\.0\\.0\\.1 and PORT ${port}: [^\\n]*EADDRINUSE[^\\n]*\\n$`,
      ),
    );
    first.kill('SIGTERM');
    expect((await first.exited).code).to.equal(0);
  });
});

const closedPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
