import { expect } from 'chai';
import type { Container } from 'inversify';
import { runCommandOn } from '../support/command-line.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import {
  aroundAttempts,
  asRelease,
  createReleases,
  ledgerVersions,
  provisionAll,
  type Releases,
} from '../support/fleet.ts';
import { Gate, until } from '../support/gate.ts';
import { SecondServer } from '../support/second-server.ts';

/** First in the order of the names: the canary would be one of them. */
const AWAY = Array.from({ length: 6 }, (_, index) => `away-${index}`);
const HOME = Array.from({ length: 6 }, (_, index) => `home-${index}`);
/** A run of the others takes a second; retries of a database that is in use take two minutes. */
const WITHOUT_DELAY_MS = 15_000;

describe('a fleet migration over two servers', function () {
  this.timeout(120_000);
  let eu: SecondServer;
  let deployment: Deployment;
  let releases: Releases;
  let container: Container;

  before(async () => {
    releases = await createReleases([
      {
        name: 'add_note',
        up: `await knex.raw('alter table docking_jobs add column note text')`,
        down: `await knex.raw('alter table docking_jobs drop column note')`,
      },
    ]);
    eu = await SecondServer.start();
  });
  after(async () => {
    await eu?.remove();
    await releases?.dispose();
  });
  beforeEach(async () => {
    deployment = await createDeployment({}, { servers: { eu: eu.url } });
    await deployment.register(...AWAY, ...HOME);
    await deployment.metadata(`insert into results_servers (server_id) values ('eu')`);
    await deployment.metadata(
      `update organizations set pinned_server_id = case when org_id like 'away%' then 'eu' else 'default' end`,
    );
    const former = asRelease(deployment.start(), releases.release(releases.base));
    await provisionAll(former, [...AWAY, ...HOME]);
    container = asRelease(deployment.start(), releases.release(releases.newest));
  });
  afterEach(async () => {
    await eu.recover();
    await deployment.dispose();
  });

  const cli = async (command: string): Promise<{ exitCode: number; text: string; tookMs: number }> => {
    const from = performance.now();
    const { exitCode, lines } = await runCommandOn(container, ['migrate', ...command.split(' ')]);
    return { exitCode, text: lines.join('\n'), tookMs: performance.now() - from };
  };
  interface Status {
    readonly state: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly deferred: readonly { org_id: string; attempts: number; error: string }[];
  }
  const statusOf = (text: string): Status => {
    const status: Status = JSON.parse(text);
    return status;
  };
  const versionsOf = async (ids: readonly string[]): Promise<ReadonlySet<number | undefined>> => {
    const versions = await ledgerVersions(deployment);
    return new Set(ids.map((id) => versions[id]));
  };
  const expectLeftBehind = async (text: string): Promise<void> => {
    const { state, counts, deferred } = statusOf(text);
    expect(state).to.equal('running');
    expect(counts).to.deep.equal({ pending: 0, running: 0, deferred: 6, done: 6, failed: 0 });
    expect(deferred.map((item) => item.org_id)).to.deep.equal(AWAY);
    for (const { error } of deferred) expect(error).to.equal('its server "eu" does not answer');
    expect(await versionsOf(HOME)).to.deep.equal(new Set([releases.newest]));
    expect(await versionsOf(AWAY)).to.deep.equal(new Set([releases.base]));
  };
  const expectFinishedByTheNext = async (): Promise<void> => {
    await eu.recover();
    // As the next call of the command: it looks at the servers anew.
    const { exitCode, text } = await cli('run --json');
    expect(statusOf(text).counts).to.deep.equal({ pending: 0, running: 0, deferred: 0, done: 12, failed: 0 });
    expect(exitCode).to.equal(0);
    expect(await versionsOf([...AWAY, ...HOME])).to.deep.equal(new Set([releases.newest]));
  };

  for (const fault of ['stopped', 'hung'] as const) {
    it(`finishes the others, and reports the databases of a server that is ${fault} as deferred`, async () => {
      await (fault === 'stopped' ? eu.kill() : eu.hang());
      const { exitCode, text, tookMs } = await cli('run --concurrency 2 --json');
      expect(tookMs).to.be.below(WITHOUT_DELAY_MS);
      expect(exitCode).to.equal(3);
      await expectLeftBehind(text);
      for (const { attempts } of statusOf(text).deferred) expect(attempts).to.equal(0);

      const shown = await cli('status');
      expect(shown.text).to.include('6: its server "eu" does not answer (away-0, away-1,');
      await expectFinishedByTheNext();
    });
  }

  it('gives up what was under way on a server that falls silent', async () => {
    const fallen = new Gate();
    aroundAttempts(container, async ({ serverId }, proceed) => {
      if (serverId === 'eu') await fallen.pass();
      await proceed();
    });
    const running = cli('run --canaries 0 --concurrency 2 --json');
    await fallen.reached;
    await eu.hang();
    fallen.open();
    const { exitCode, text, tookMs } = await running;
    expect(tookMs).to.be.below(2 * WITHOUT_DELAY_MS);
    expect(exitCode).to.equal(3);
    await expectLeftBehind(text);
    await expectFinishedByTheNext();
  });

  it('holds up no server for one that is slow', async () => {
    const slow = new Gate();
    aroundAttempts(container, async ({ serverId }, proceed) => {
      if (serverId === 'eu') await slow.pass();
      await proceed();
    });
    const running = cli('run --canaries 0 --wave-size 100% --concurrency 1 --json');
    await until(
      'all others are through',
      async () => (await versionsOf(HOME)).has(releases.newest) && (await versionsOf(HOME)).size === 1,
    );
    expect(await versionsOf(AWAY)).to.deep.equal(new Set([releases.base]));
    slow.open();
    expect((await running).exitCode).to.equal(0);
    expect(await versionsOf(AWAY)).to.deep.equal(new Set([releases.newest]));
  });

  it('a canary that was named is waited for, and the run is left as it is', async () => {
    await eu.kill();
    const { exitCode, text, tookMs } = await cli('run --canary away-3 --json');
    expect(tookMs).to.be.below(WITHOUT_DELAY_MS);
    expect(exitCode).to.equal(3);
    expect(statusOf(text).counts).to.include({ deferred: 1, pending: 11, done: 0 });
    await expectFinishedByTheNext();
  });

  it('drift and rehearsals tell which databases could not be read, and read the others', async () => {
    await deployment.administer(
      'alter table docking_jobs add column extra text',
      [],
      deployment.databaseName('home-0'),
    );
    await eu.hang();
    const drift = await cli('drift --json');
    expect(drift.tookMs).to.be.below(WITHOUT_DELAY_MS);
    const report: {
      checked: number;
      drifted: readonly { org_id: string }[];
      unreadable: readonly { org_id: string }[];
    } = JSON.parse(drift.text);
    expect(report.checked).to.equal(6);
    expect(report.drifted.map((one) => one.org_id)).to.deep.equal(['home-0']);
    expect(report.unreadable.map((one) => one.org_id)).to.deep.equal(AWAY);
    const rehearsal = await cli('dry-run --org away-0,home-1 --json');
    expect(rehearsal.tookMs).to.be.below(WITHOUT_DELAY_MS);
    expect(rehearsal.text).to.match(/"org_id": "away-0"[^}]*"outcome": "failed"/s);
    expect(rehearsal.text).to.match(/"org_id": "home-1"[^}]*"outcome": "done"/s);
  });
});
