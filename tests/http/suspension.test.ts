import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { AuditEntry, Job, Page, Problem } from '../support/http-contract.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { rowCounts } from '../support/row-counts.ts';
import { send, type Method, type Reply } from '../support/send.ts';
import { lockTable } from '../support/server-faults.ts';

const PROCESSES = 2;

describe('Suspending an organization', function () {
  this.timeout(90_000);
  let deployment: Deployment;
  const processes: HttpProcess[] = [];
  const urls: string[] = [];

  before(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    for (let n = 0; n < PROCESSES; n += 1)
      processes.push(await startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'info' }));
    urls.push(...(await Promise.all(processes.map((process) => process.listening()))));
  });
  after(async () => {
    await Promise.all(processes.map((process) => process.dispose()));
    await deployment.dispose();
  });

  const ask = <Body>(process: number, method: Method, path: string, token: string, body?: unknown) =>
    send<Body>(urls[process] ?? '', method, path, { token, body });
  const member = (id: string): string => deployment.token(id, ['member']);
  const platform = (): string => deployment.token(null, ['platform_admin']);
  const everywhere = (path: string, token: string): Promise<readonly Reply<Problem>[]> =>
    Promise.all(urls.map((_, process) => ask<Problem>(process, 'GET', path, token)));
  const codesOf = (replies: readonly Reply<Problem>[]) => replies.map(({ body }) => body.code);

  /** Without what is only on its way out. */
  const results = async () => {
    const { audit_outbox: _, ...tables } = await rowCounts(deployment, deployment.databaseName('acme'));
    return tables;
  };

  it('suspend-rejects-and-drains', async () => {
    const submission = { engine: 'vina', inputs: { ligand: 'CCO' } };
    for (const id of ['acme', 'beta']) {
      for (let process = 0; process < PROCESSES; process += 1) {
        const { status } = await ask(process, 'POST', '/jobs', member(id), submission);
        expect(status).to.equal(201);
      }
    }
    const data = await results();

    // One request of each process stands in the middle of a statement.
    const lock = await lockTable(deployment, deployment.databaseName('acme'), 'docking_jobs');
    const running = urls.map((_, process) => ask<Page<Job>>(process, 'GET', '/jobs', member('acme')));
    await until('both requests run', async () => {
      const waiting = await deployment.administer(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
        [deployment.databaseName('acme')],
      );
      return waiting.length === PROCESSES;
    });

    const suspended = await ask<{ status: string }>(0, 'POST', '/organizations/acme/suspend', platform());
    const suspendedAt = performance.now();
    expect([suspended.status, suspended.body.status]).to.deep.equal([200, 'suspended']);
    const refused = urls.map(async (_, process) => {
      let code: string | undefined;
      await until('the process refuses', async () => {
        // Not of the table that is locked: until the process knows, this is answered.
        const asked = ask<Problem>(
          process,
          'GET',
          `/organizations/acme/input-signatures/${'0'.repeat(64)}`,
          member('acme'),
        );
        code = (await asked).body.code;
        return code === 'organization_suspended';
      });
      return performance.now() - suspendedAt;
    });
    for (const tookMs of await Promise.all(refused)) expect(tookMs).to.be.below(1000);
    for (const path of ['/jobs', '/organizations/acme/jobs', `/jobs/${crypto.randomUUID()}`]) {
      const replies = await everywhere(path, member('acme'));
      expect(replies.map(({ status }) => status)).to.deep.equal([403, 403]);
      expect(codesOf(replies)).to.deep.equal(['organization_suspended', 'organization_suspended']);
    }
    const post = await ask<Problem>(1, 'POST', '/jobs', member('acme'), submission);
    expect(post.body.code).to.equal('organization_suspended');

    const states = async () => {
      const { body } = await ask<{ items: { org_id: string; state: string }[] }>(
        1,
        'GET',
        '/admin/databases',
        platform(),
      );
      return Object.fromEntries(body.items.map(({ org_id: id, state }) => [id, state]));
    };
    // The organization's status alone says that it is suspended: its database is as it was.
    expect(await states()).to.deep.equal({ acme: 'ready', beta: 'ready' });

    // What is not results is served, and so are the others.
    for (let process = 0; process < PROCESSES; process += 1) {
      const { status, body } = await ask<{ status: string }>(
        process,
        'GET',
        '/organizations/acme',
        member('acme'),
      );
      expect([status, body.status]).to.deep.equal([200, 'suspended']);
    }
    expect((await everywhere('/jobs', member('beta'))).map(({ status }) => status)).to.deep.equal([200, 200]);

    await lock.release();
    for (const { status, body } of await Promise.all(running)) {
      expect([status, body.items.length]).to.deep.equal([200, PROCESSES]);
    }
    expect(await results()).to.deep.equal(data);

    const resumed = await ask<{ status: string }>(1, 'POST', '/organizations/acme/resume', platform());
    const resumedAt = performance.now();
    expect([resumed.status, resumed.body.status]).to.deep.equal([200, 'active']);
    await until('both serve again', async () =>
      (await everywhere('/jobs', member('acme'))).every(({ status }) => status === 200),
    );
    expect(performance.now() - resumedAt).to.be.below(1000);
    expect(await states()).to.deep.equal({ acme: 'ready', beta: 'ready' });
  });

  it('is for the platform administrator, audited once however often it is asked for, and of a known organization', async () => {
    const administrator = deployment.token('beta', ['org_admin']);
    for (const verb of ['suspend', 'resume']) {
      const refused = await ask<Problem>(0, 'POST', `/organizations/beta/${verb}`, administrator);
      expect(refused.body.code).to.equal('role_required');
      const missing = await ask<Problem>(0, 'POST', `/organizations/nowhere/${verb}`, platform());
      expect([missing.status, missing.body.code]).to.deep.equal([404, 'organization_not_found']);
      for (let n = 0; n < 3; n += 1) {
        const { status } = await ask(n % PROCESSES, 'POST', `/organizations/beta/${verb}`, platform());
        expect(status).to.equal(200);
      }
    }
    const { body } = await ask<Page<AuditEntry>>(0, 'GET', '/organizations/beta/audit-logs', platform());
    const entries = body.items.filter(({ entity_type: type }) => type === 'organization').toReversed();
    expect(entries.map(({ action, details }) => [action, details])).to.deep.equal([
      ['organization.suspended', { before: 'active', after: 'suspended' }],
      ['organization.resumed', { before: 'suspended', after: 'active' }],
    ]);
  });
});
