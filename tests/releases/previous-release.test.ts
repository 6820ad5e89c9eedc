import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { sampleConnections, type ConnectionSampler } from '../support/connection-samples.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Job, Problem } from '../support/http-contract.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { SecondServer } from '../support/second-server.ts';
import { send } from '../support/send.ts';

/**
 * Where the release before this one lies, with its packages. It is not part of the sources, so this runs on demand:
 *
 *     git worktree add /tmp/previous <commit> && ln -s "$PWD/node_modules" /tmp/previous/node_modules
 *     PREVIOUS_RELEASE=/tmp/previous npx mocha tests/releases/previous-release.test.ts
 */
const PREVIOUS = process.env['PREVIOUS_RELEASE'] ?? '';
const ENTRY = join(PREVIOUS, 'infrastructure/bin/http.ts');
const LOADER = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href;
const ROOTS = { previous: PREVIOUS, present: fileURLToPath(new URL('../..', import.meta.url)) } as const;
const COMMAND = fileURLToPath(new URL('../../infrastructure/bin/mad.cjs', import.meta.url));

const BUDGET = 9;
const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };
const IDS = Array.from({ length: 6 }, (_, index) => `org-${index}`);
const RELEASES = ['previous', 'present'] as const;
type Release = (typeof RELEASES)[number];

/** Names of a release's migrations. */
const schemaOf = (release: Release, kind: 'metadata' | 'results'): string =>
  readdirSync(join(ROOTS[release], 'migrations', kind))
    .toSorted()
    .join();

/** Releases up to 0.1.0 refuse a metadata database that another one has migrated further. */
const comesBack = (): boolean =>
  schemaOf('previous', 'metadata') === schemaOf('present', 'metadata') ||
  readFileSync(join(PREVIOUS, 'infrastructure/migrations/migrator.ts'), 'utf8').includes('toleratesNewer');

describe('the release before this one, beside it', function () {
  this.timeout(240_000);
  let eu: SecondServer;
  let deployment: Deployment;
  let sampler: ConnectionSampler;
  const processes: Partial<Record<Release, HttpProcess>> = {};
  const urls: Partial<Record<Release, string>> = {};

  before(async () => {
    if (!existsSync(ENTRY))
      throw new Error('PREVIOUS_RELEASE has to name a folder with the release before this one.');
    eu = await SecondServer.start();
    deployment = await createDeployment({
      DB_CONNECTION_BUDGET: String(BUDGET),
      DB_ORG_POOL_SIZE: '2',
      DB_ORG_MAX_OVERFLOW: '2',
      DB_SPARES_MIN: '2',
      DB_SPARES_MAX: '4',
      DB_ACQUIRE_TIMEOUT_MS: '20000',
      DB_ORG_ROLES: 'true',
      DB_ROLE_SECRET: 'a secret for the roles of organizations',
      LOG_LEVEL: 'info',
    });
    // The previous release makes and migrates its own.
    await deployment.administer(`drop database "${deployment.metadataDatabase}" with (force)`);
  });
  after(async () => {
    await Promise.all(Object.values(processes).map((one) => one.dispose()));
    await sampler?.stop();
    await deployment?.dispose();
    await eu?.remove();
  });

  const start = async (release: Release, settings: Readonly<Record<string, string>> = {}): Promise<void> => {
    const environment = { ...deployment.environment, ...settings };
    const started = await startHttpProcess(
      environment,
      release === 'previous' ? ['--import', LOADER, ENTRY] : null,
    );
    processes[release] = started;
    urls[release] = await started.listening();
  };
  const stop = async (release: Release): Promise<void> => {
    processes[release]?.kill('SIGTERM');
    expect((await processes[release]?.exited)?.code, processes[release]?.stdout()).to.equal(0);
  };
  /** As docs/upgrading.md says: by a command of this release. */
  const migrate = async (): Promise<string> => {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, ...deployment.environment };
    return (await promisify(execFile)(process.execPath, [COMMAND, 'migrate', 'run'], { env })).stdout;
  };
  const admin = (release: Release, path: string, body?: unknown) =>
    send<Problem>(urls[release] ?? '', 'POST', path, {
      token: deployment.token(null, ['platform_admin']),
      body,
    });
  const list = async (release: Release, id: string): Promise<readonly string[] | string> => {
    const token = deployment.token(id, ['member']);
    const reply = await send<{ items: readonly Job[] } & Problem>(
      urls[release] ?? '',
      'GET',
      '/jobs?limit=100',
      {
        token,
      },
    );
    return reply.status === 200 ? reply.body.items.map((job) => job.job_id).toSorted() : reply.body.code;
  };
  const written: Record<string, string[]> = {};
  const submit = async (release: Release, id: string): Promise<void> => {
    const token = deployment.token(id, ['member']);
    const { status, body, text } = await send<Job>(urls[release] ?? '', 'POST', '/jobs', {
      token,
      body: SUBMISSION,
    });
    expect(status, `${release} ${id} ${text}`).to.equal(201);
    (written[id] ??= []).push(body.job_id);
  };
  const register = async (release: Release, ...ids: readonly string[]): Promise<void> => {
    for (const id of ids)
      expect((await admin(release, '/organizations', { org_id: id, name: id })).status, id).to.equal(201);
  };
  const expectAll = async (...releases: readonly Release[]): Promise<void> => {
    for (const release of releases)
      for (const [id, jobs] of Object.entries(written))
        expect(await list(release, id), `${release} ${id}`).to.deep.equal(jobs.toSorted());
  };
  const seen = (release: Release, id: string, code: string) =>
    until(`${release} sees ${code} for ${id}`, async () => {
      const answer = await list(release, id);
      return code === 'served' ? typeof answer !== 'string' : answer === code;
    });
  const states = (): Promise<readonly unknown[]> =>
    deployment.metadata(`select distinct state from organization_databases order by 1`);
  const shares = async (): Promise<readonly number[]> => {
    const rows = await deployment.metadata<{ share: number }>(
      `select share from connection_shares where server_id = 'default' order by 1`,
    );
    return rows.map(({ share }) => share);
  };
  const withEu = () => ({
    DB_RESULTS_DB_TEMPLATE_EU: (deployment.environment['DB_RESULTS_DB_TEMPLATE'] ?? '').replace(
      /^.*@[^/]+\//,
      eu.url.replace(/postgres$/, ''),
    ),
  });
  const errorsOf = (release: Release): readonly string[] =>
    (processes[release]?.stdout() ?? '').split('\n').filter((line) => line.includes('"level":"error"'));

  it('previous-release-beside-this-one-serves-the-same-deployment: data of the previous release', async () => {
    await start('previous');
    await register('previous', ...IDS);
    for (const id of IDS) await submit('previous', id);
    expect((await admin('previous', '/organizations/org-5/suspend')).status).to.equal(200);
    await seen('previous', 'org-5', 'organization_suspended');
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: it goes on while databases are migrated', async () => {
    const summary = await migrate();
    // Two releases may have the same results schema.
    if (schemaOf('previous', 'results') === schemaOf('present', 'results'))
      expect(summary).to.match(/^Nothing to do: /);
    else expect(summary).to.contain(`${IDS.length} of ${IDS.length} organizations done, 0 failed`);
    for (const id of IDS.filter((one) => one !== 'org-5')) {
      await submit('previous', id);
      expect(await list('previous', id)).to.deep.equal(written[id]?.toSorted());
    }
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: both serve and create', async () => {
    sampler = await sampleConnections(
      deployment.environment['DB_DATABASE_URL'] ?? '',
      deployment.databaseName('org'),
    );
    await start('present');
    await seen('present', 'org-5', 'organization_suspended');
    await seen('previous', 'org-5', 'organization_suspended');
    expect(await states()).to.deep.equal([{ state: 'ready' }]);
    for (const release of RELEASES)
      expect((await admin(release, '/organizations/org-5/resume')).status).to.be.oneOf([200, 409]);
    for (const release of RELEASES) await seen(release, 'org-5', 'served');
    await expectAll(...RELEASES);
    await until('they share the connections', async () => (await shares()).join() === '4,5');

    for (const release of RELEASES) {
      const ids = Array.from({ length: 6 }, (_, index) => `org-${release}-${index}`);
      await register(release, ...ids);
      // Both are asked for the same organizations at the same time. What the previous one makes is served by it alone.
      await Promise.all(
        ids.flatMap((id) => [
          submit('previous', id),
          list('present', id).then((answer) => {
            if (typeof answer === 'string') expect(answer).to.equal('organization_not_ready');
          }),
        ]),
      );
    }
    await expectAll('previous');
    await migrate();
    for (const id of Object.keys(written)) await seen('present', id, 'served');
    for (const id of Object.keys(written)) await submit('present', id);
    await expectAll(...RELEASES);
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: suspensions are seen by both', async () => {
    for (const [by, id] of [
      ['previous', 'org-1'],
      ['present', 'org-2'],
    ] as const) {
      expect((await admin(by, `/organizations/${id}/suspend`)).status).to.equal(200);
      for (const release of RELEASES) await seen(release, id, 'organization_suspended');
      expect(await states()).to.deep.equal([{ state: 'ready' }]);
      const other = by === 'previous' ? 'present' : 'previous';
      expect((await admin(other, `/organizations/${id}/resume`)).status).to.equal(200);
      for (const release of RELEASES) await seen(release, id, 'served');
    }
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: a database that is another one now', async () => {
    const operator = deployment.start();
    await operator.get(TOKENS.retireDatabase)(organizationId('org-3'));
    delete written['org-3'];
    // This one comes first and makes it: one that the previous one makes has to be migrated.
    for (const release of RELEASES.toReversed())
      await until(`${release} serves the new one`, async () => {
        const answer = await list(release, 'org-3');
        return typeof answer !== 'string' && answer.length === 0;
      });
    for (const release of RELEASES) await submit(release, 'org-3');
    await expectAll(...RELEASES);
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: never above the budget', async () => {
    const load = Array.from({ length: 10 }, (_, turn) =>
      IDS.map((id) => submit(RELEASES[turn % 2] ?? 'present', id)),
    );
    await Promise.all(load.flat());
    await expectAll(...RELEASES);
    const { most, samples } = await sampler.stop();
    expect(samples).to.be.greaterThan(100);
    expect(most).to.be.within(4, BUDGET);
    for (const release of RELEASES) expect(errorsOf(release), release).to.deep.equal([]);
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: another server is added', async () => {
    await stop('present');
    await start('present', withEu());
    await register('present', 'org-eu');
    await deployment.metadata(`update organizations set pinned_server_id = 'eu' where org_id = 'org-eu'`);
    await until('it is served', async () => typeof (await list('present', 'org-eu')) !== 'string', 30_000);
    await submit('present', 'org-eu');
    // The previous release does not know the server: it refuses, and makes no database of its own.
    expect(await list('previous', 'org-eu')).to.be.oneOf([
      'database_unavailable',
      'database_provisioning_failed',
    ]);
    expect(await deployment.databases()).to.not.include(deployment.databaseName('org-eu'));
    expect(await list('present', 'org-eu')).to.deep.equal(written['org-eu']);
    await expectAll('present');
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: the previous one leaves', async () => {
    await stop('previous');
    await until(
      'its connections go to this one',
      async () => (await shares()).join() === String(BUDGET),
      20_000,
    );
    await register('present', 'org-after');
    await submit('present', 'org-after');
    await expectAll('present');
    await stop('present');
  });

  it('previous-release-beside-this-one-serves-the-same-deployment: it is gone back to', async () => {
    if (comesBack()) {
      await start('previous', withEu());
      await expectAll('previous');
      for (const id of Object.keys(written)) await submit('previous', id);
      await expectAll('previous');
      await stop('previous');
    } else {
      const refused = await startHttpProcess(deployment.environment, ['--import', LOADER, ENTRY]);
      expect((await refused.exited).code).to.equal(1);
      expect(refused.stdout() + refused.stderr()).to.include('migrations that this release does not know');
    }
  });
});
