import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type { Container } from 'inversify';
import { runCommandOn } from '../support/command-line.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import {
  asRelease,
  createReleases,
  ledgerVersions,
  provisionAll,
  registerMany,
  type Releases,
} from '../support/fleet.ts';
import type { Page, Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';

interface Outcome {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly text: string;
}

describe('the migrate command', function () {
  this.timeout(60_000);
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
  });
  after(() => releases.dispose());
  beforeEach(async () => {
    deployment = await createDeployment();
    const ids = await registerMany(deployment, 5);
    await provisionAll(asRelease(deployment.start(), releases.release(releases.base)), ids);
    container = asRelease(deployment.start(), releases.release(releases.newest));
  });
  afterEach(() => deployment.dispose());

  const cli = async (command: string, terminal: NodeJS.WritableStream | null = null): Promise<Outcome> => {
    const argv = ['migrate', ...command.split(' ')];
    const { exitCode, lines } = await runCommandOn(container, argv, { terminal });
    return { exitCode, lines, text: lines.join('\n') };
  };
  const json = async <Document>(command: string): Promise<Document & { exitCode: number }> => {
    const { exitCode, text } = await cli(`${command} --json`);
    const document: Document = JSON.parse(text);
    return { ...document, exitCode };
  };
  const breakMigrationOf = (id: string): Promise<unknown> =>
    deployment.administer('alter table docking_jobs add column note text', [], deployment.databaseName(id));

  it('says what it would do, does it, and then has nothing to do', async () => {
    const { base, newest } = releases;
    const plan = await cli('plan --canary org-003 --wave-size 50%');
    expect(plan.exitCode).to.equal(0);
    expect(plan.lines).to.deep.equal([
      `5 organizations to be brought to schema version ${newest}:`,
      `  canaries  1, from version ${base} (org-003)`,
      `  wave 1    3, from version ${base} (org-000, org-001, org-002)`,
      `  wave 2    1, from version ${base} (org-004)`,
    ]);
    expect(new Set(Object.values(await ledgerVersions(deployment)))).to.deep.equal(new Set([base]));

    const run = await cli('run --canary org-003');
    expect(run.exitCode).to.equal(0);
    expect(run.lines[0]).to.match(/^\d of 5 organizations, (?:canaries|wave \d of \d)/);
    expect(run.text).to.match(/^Run 1 \(to schema version \d+\) is finished, after [\d.]+ s\.$/m);
    expect(run.text).to.include('  5 of 5 organizations done, 0 failed, 0 not yet done');

    const again = await cli('run');
    expect(again.exitCode).to.equal(0);
    expect(again.lines).to.deep.equal([
      `Nothing to do: no organization chosen is behind schema version ${newest}.`,
      'Left out:',
      '  5 up to date already',
    ]);
  });

  it('ends with 3 and names the cause when organizations failed, also for machines', async () => {
    await breakMigrationOf('org-002');
    const { exitCode, lines, text } = await cli('run --error-budget 1');
    expect(exitCode).to.equal(3);
    expect(lines.find((line) => line.includes('org-002'))).to.match(
      /^ {2}org-002 {2}migration 9001_add_note: column "note" of relation "docking_jobs" already exists \(42701\)$/,
    );
    expect(text).to.include('"migrate retry"');
    const status = await json<{ counts: object; failures: readonly { org_id: string }[] }>('status');
    expect(status.exitCode).to.equal(0);
    expect(status.counts).to.include({ done: 4, failed: 1 });
    expect(status.failures.map(({ org_id: id }) => id)).to.deep.equal(['org-002']);
    const retried = await json<{ state: string; failures: readonly object[] }>('retry');
    expect([retried.exitCode, retried.state, retried.failures.length]).to.deep.equal([3, 'finished', 1]);
  });

  it('explains a halted run, and what there is to do about it', async () => {
    await breakMigrationOf('org-000');
    const { exitCode, text } = await cli('run');
    expect(exitCode).to.equal(3);
    expect(text).to.include('is halted: a canary failed.');
    expect(text).to.include('"migrate rollback"');
    const refused = await cli('run');
    expect([refused.exitCode, refused.text]).to.deep.equal([
      1,
      'Run 1 is halted: a canary failed. Go on with it by "migrate resume", or try what failed again by "migrate retry".',
    ]);
    expect((await cli('resume')).exitCode).to.equal(3);
    expect((await cli('resume')).text).to.equal('Run 1 is finished.');
    const rolledBack = await cli('rollback --wave 1');
    expect(rolledBack.exitCode).to.equal(0);
    expect(rolledBack.text).to.match(/^Run 2 \(back to the versions before\) is finished/m);
  });

  it('says which run a rollback set aside, and resumes that one', async () => {
    await breakMigrationOf('org-001');
    expect((await cli('run --canary org-000 --wave-size 1 --error-budget 0')).exitCode).to.equal(3);
    const rolledBack = await cli('rollback --wave 0');
    expect(rolledBack.exitCode).to.equal(0);
    expect(rolledBack.lines.at(-1)).to.equal(
      'Run 1 was set aside for this one: "migrate resume" goes on with it afterwards.',
    );
    expect((await cli('status --run 1')).lines[0]).to.match(/^Run 1 .* is set aside for a rollback\.$/);
    const resumed = await cli('resume');
    expect(resumed.exitCode).to.equal(3);
    expect(resumed.text).to.match(/^Run 1 .* is finished/m);
    const { base, newest } = releases;
    expect(Object.values(await ledgerVersions(deployment))).to.deep.equal([
      base,
      base,
      newest,
      newest,
      newest,
    ]);
  });

  it('draws a bar on a terminal, and nothing of it elsewhere', async () => {
    const terminal = new PassThrough();
    Object.assign(terminal, { isTTY: true, columns: 100 });
    let drawn = '';
    terminal.on('data', (chunk: Buffer) => (drawn += chunk.toString()));
    const { lines } = await cli('run', terminal);
    expect(drawn).to.match(/█+/);
    expect(drawn).to.include('of 5 organizations');
    expect(lines[0]).to.match(/^Run 1/);
  });

  it('rehearses on copies and looks for drift', async () => {
    await breakMigrationOf('org-001');
    const rehearsal = await cli('dry-run --org org-000,org-001');
    expect(rehearsal.exitCode).to.equal(3);
    expect(rehearsal.text).to.match(/^org-000: from schema version \d+ to \d+ works\.$/m);
    expect(rehearsal.text).to.match(/^ {2}time {3}[\d.]+ s to migrate, [\d.]+ s to copy$/m);
    expect(rehearsal.text).to.match(/^ {2}locks {2}docking_jobs \(AccessExclusiveLock\)$/m);
    expect(rehearsal.text).to.match(/^org-001: .* FAILED: migration 9001_add_note: .*\(42701\)$/m);
    const drift = await cli('drift');
    expect(drift.exitCode).to.equal(3);
    expect(drift.lines).to.deep.equal([
      '5 schemas checked, 1 not as the migrations make them:',
      `  org-001 (schema version ${releases.base})`,
      '    extra    column public.docking_jobs.note',
      '             found:    text',
    ]);
    expect(await cli('drift --org org-000')).to.deep.include({
      exitCode: 0,
      lines: ['1 schema checked: all as the migrations make them.'],
    });
  });

  for (const misuse of [
    'run --org TEMPLATE..',
    'run --wave-size 101%',
    'run --concurrency 0',
    'plan --to x',
    'rollback',
    'rollback --org org-000 --wave 1',
    'dry-run',
    'fly',
  ]) {
    it(`refuses "migrate ${misuse}" before anything is done`, async () => {
      const { exitCode, text } = await cli(misuse);
      expect(exitCode).to.equal(2);
      expect(text).not.to.equal('');
      expect((await cli('status')).text).to.equal('No migration was ever run.');
    });
  }

  for (const command of [
    'plan --org org-000,typo',
    'run --org typo',
    'run --canary typo',
    'dry-run --org typo',
    'drift --org typo',
    'retry --org typo',
    'rollback --org org-000,typo',
  ]) {
    it(`fails at the unknown name in "migrate ${command}", and does nothing for the others`, async () => {
      expect(await cli(command)).to.include({ exitCode: 1, text: 'There is no organization "typo".' });
      expect((await cli('status')).text).to.equal('No migration was ever run.');
    });
  }

  it('fails at the number of a run that there was not', async () => {
    expect(await cli('status --run 999')).to.include({ exitCode: 1, text: 'There is no run 999.' });
    expect(await cli('status --json')).to.include({ exitCode: 0, text: 'null' });
  });

  it('refuses versions that the release does not know', async () => {
    expect(await cli(`run --to ${releases.newest + 1}`)).to.deep.include({
      exitCode: 1,
      text: `This release knows schema versions up to ${releases.newest}, not ${releases.newest + 1}.`,
    });
  });

  it('is seen over HTTP by platform administrators', async () => {
    await breakMigrationOf('org-004');
    await cli('run --error-budget 1');
    const service = await HttpService.start(deployment);
    try {
      const platform = service.as(deployment.token(null, ['platform_admin']));
      const { body } = await platform.get<Page<{ run_id: number; state: string }>>('/admin/migrations');
      expect(body.items.map(({ run_id: id, state }) => [id, state])).to.deep.equal([[1, 'finished']]);
      const run = await platform.get<{ counts: object }>('/admin/migrations/1');
      expect(run.body.counts).to.deep.equal({ pending: 0, running: 0, deferred: 0, done: 4, failed: 1 });
      const failed = await platform.get<Page<{ org_id: string; error: string }>>(
        '/admin/migrations/1/organizations?state=failed',
      );
      expect(failed.body.items[0]?.org_id).to.equal('org-004');
      expect(failed.body.items[0]?.error).to.match(/42701/);
      for (const path of ['/admin/migrations/2', '/admin/migrations/2/organizations']) {
        const unknown = await platform.get<Problem>(path);
        expect([unknown.status, unknown.body.code]).to.deep.equal([404, 'migration_run_not_found']);
      }
      expect((await platform.get('/admin/migrations/x')).status).to.equal(422);
      expect((await platform.get('/admin/migrations/9999999999')).status).to.equal(422);
    } finally {
      await service.close();
    }
  });
});
