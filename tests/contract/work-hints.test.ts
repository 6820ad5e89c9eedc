import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { HintReach, WorkHints } from '../../application/ports/work/work-hints.ts';
import type { CarriedEntry } from '../../domain/audit/carried-entry.ts';
import type { WorkLook } from '../../domain/work/work-hint.ts';
import { organizationId } from '../support/deployment.ts';
import { METADATA, type MetadataSubject, type Subject } from './subjects.ts';

const [ACME, BETA, GAMMA] = [organizationId('acme'), organizationId('beta'), organizationId('gamma')];
const ANY: Parameters<WorkHints['take']>[1] = { engines: null, limit: 20 };
const HOUR_MS = 3_600_000;

type Details = CarriedEntry['details'];
const entry = (action: string, details: Details, at = new Date()): CarriedEntry => ({
  auditId: randomUUID(),
  userId: 'user-1',
  action,
  entityType: 'job',
  entityId: randomUUID(),
  details,
  requestId: null,
  at,
});
const submitted = (engine = 'vina', at?: Date) => entry('job.submitted', { engine, status: 'PENDING' }, at);
const claimed = (engines: Details, leaseEndsInMs = 2 * HOUR_MS) =>
  entry('job.claimed', {
    engines,
    lease_expires_at: new Date(Date.now() + leaseEndsInMs).toISOString(),
  });

const keepsWorkHints = (subject: Subject<MetadataSubject>): void => {
  let metadata: MetadataDatabase;
  let hints: WorkHints;
  let deliver: MetadataSubject['deliver'];
  let makeDue: MetadataSubject['makeHintsDue'];
  let fleet: HintReach;

  before(() => subject.open());
  after(() => subject.close());
  beforeEach(async () => {
    ({ metadata, workHints: hints, deliver, makeHintsDue: makeDue } = await subject.empty());
    const { accountId } = await metadata.serviceAccounts.insert(null, { name: 'fleet', roles: ['worker'] });
    fleet = { fleetId: accountId };
    for (const id of [ACME, BETA, GAMMA]) {
      await metadata.organizations.insert({ id, name: id });
      await metadata.serviceAccounts.admit(id, accountId);
    }
  });

  const take = async (query: Partial<typeof ANY> = {}, reach = fleet) => {
    const taken = await hints.take(reach, { ...ANY, ...query });
    return taken.map((hint) => `${hint.organizationId} ${hint.engine} ${hint.waiting}`);
  };
  /** Of all that there are, put off or not. */
  const all = async (): Promise<readonly string[]> => {
    await makeDue();
    return (await take()).toSorted();
  };

  describe('are set', () => {
    for (const [what, told, waiting] of [
      ['a job that was submitted', submitted(), 1],
      ['a job that was given back', entry('job.released', { engine: 'vina', status: 'PENDING' }), 1],
      ['a job that failed and is tried again', entry('job.failed', { engine: 'vina', status: 'PENDING' }), 1],
      ['a batch', entry('job_batch.submitted', { engine: 'vina', jobs: 7, waiting: 5 }), 5],
    ] as const) {
      it(`by ${what}`, async () => {
        await deliver(ACME, [told]);
        expect(await take()).to.deep.equal([`acme vina ${waiting}`]);
      });
    }

    for (const [what, told] of [
      [
        'a job that was answered by the cache',
        entry('job.submitted', { engine: 'vina', status: 'COMPLETED' }),
      ],
      [
        'a batch that the cache answered',
        entry('job_batch.submitted', { engine: 'vina', jobs: 5, waiting: 0 }),
      ],
      ['a job that failed for good', entry('job.failed', { engine: 'vina', status: 'FAILED' })],
      ['a job that was moved', entry('job.moved', { engine: 'vina', status: 'RUNNING' })],
      ['an entry of the release before', entry('job.submitted', { engine: 'vina', priority: 0 })],
    ] as const) {
      it(`not by ${what}`, async () => {
        await deliver(ACME, [told]);
        expect(await all()).to.deep.equal([]);
      });
    }

    it('not by nonsense, which an organization’s own SQL role may write, and which keeps nothing up', async () => {
      const nonsense: readonly Details[] = [
        { status: 'PENDING' },
        { engine: 7, status: 'PENDING' },
        { engine: '', status: 'PENDING' },
        { engine: 'x'.repeat(65), status: 'PENDING' },
        { engine: 'vina', waiting: 1e9 },
        { engine: 'vina', waiting: -1 },
        { engine: 'vina', waiting: '5' },
        { engines: { vina: 1e9, '': 1, 'not an engine': 1 } },
        { engines: 'vina' },
        { engines: null },
      ];
      for (const action of ['job.submitted', 'job.released', 'job_batch.submitted', 'job.claimed'])
        await deliver(
          ACME,
          nonsense.map((details) => entry(action, details)),
        );
      expect(await all()).to.deep.equal([]);
      const far = ['+275760-09-13T00:00:00Z', 'infinity', '9999-12-31', '-000001-01-01', 7];
      await deliver(
        ACME,
        far.map((when) => entry('job.released', { engine: 'vina', status: 'PENDING', not_before: when })),
      );
      expect(await take(), 'such a delay is none').to.deep.equal(['acme vina 5']);
    });

    it('once by each entry, however often it is delivered', async () => {
      const entries = [submitted(), submitted(), submitted('gnina')];
      await deliver(ACME, entries);
      await deliver(ACME, [...entries, submitted()]);
      expect((await take()).toSorted()).to.deep.equal(['acme gnina 1', 'acme vina 3']);
    });

    it('for later where a job waits for its delay, and sooner by a job that waits for nothing', async () => {
      const later = new Date(Date.now() + HOUR_MS).toISOString();
      await deliver(ACME, [entry('job.released', { engine: 'vina', status: 'PENDING', not_before: later })]);
      expect(await take()).to.deep.equal([]);
      await deliver(ACME, [submitted()]);
      expect(await take()).to.deep.equal(['acme vina 2']);
    });

    it('for the end of a lease by a claim, which takes its jobs off those that wait', async () => {
      await deliver(ACME, [claimed({ vina: 1 })]);
      expect(await take(), 'the lease has not ended').to.deep.equal([]);
      expect(await all()).to.deep.equal(['acme vina 0']);
      await deliver(BETA, [submitted(), submitted(), submitted()]);
      await deliver(BETA, [claimed({ vina: 2 })]);
      expect(await take(), 'one is left').to.deep.equal(['beta vina 1']);
      await deliver(GAMMA, [claimed({ gnina: 1 }, -1)]);
      expect(await take(), 'lapsed').to.deep.equal(['gamma gnina 0']);
    });
  });

  describe('are given', () => {
    it('to whom the organization has admitted, and not while it is suspended', async () => {
      for (const id of [ACME, BETA, GAMMA]) await deliver(id, [submitted()]);
      const { accountId } = await metadata.serviceAccounts.insert(null, { name: 'other', roles: ['worker'] });
      await metadata.serviceAccounts.admit(BETA, accountId);
      await metadata.organizations.moveStatus(GAMMA, 'active', 'suspended');
      expect(await take({}, { fleetId: accountId })).to.deep.equal(['beta vina 1']);
      expect(await take({}, { fleetId: 'nobody' })).to.deep.equal([]);
      expect(await take({}, { fleetId: randomUUID() })).to.deep.equal([]);
      expect(await take({}, { organizationId: ACME })).to.deep.equal(['acme vina 1']);
      expect(await all()).to.deep.equal(['acme vina 1', 'beta vina 1']);
    });

    it('for the engines that are asked for, and as many as are asked for', async () => {
      for (const id of [ACME, BETA]) await deliver(id, [submitted('vina'), submitted('gnina')]);
      expect(await take({ engines: ['smina'] })).to.deep.equal([]);
      expect((await take({ engines: ['gnina', 'smina'] })).toSorted()).to.deep.equal([
        'acme gnina 1',
        'beta gnina 1',
      ]);
      expect(await take({ limit: 1 })).to.have.length(1);
      expect(await take()).to.have.length(1);
      expect(await take(), 'all are put off').to.deep.equal([]);
    });

    it('to one of those who ask at the same time', async () => {
      for (const id of [ACME, BETA, GAMMA]) await deliver(id, [submitted(), submitted('gnina')]);
      const taken = (await Promise.all(Array.from({ length: 6 }, () => take()))).flat();
      expect(taken).to.have.length(6);
      expect(new Set(taken).size).to.equal(6);
    });

    it('first of whoever got least, then of whoever waits longest', async () => {
      const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
      await deliver(ACME, [submitted('vina', ago(1)), submitted(), submitted(), submitted()]);
      await deliver(BETA, [submitted('vina', ago(3)), submitted()]);
      await deliver(GAMMA, [submitted('vina', ago(2)), submitted()]);
      expect(await take()).to.deep.equal(['beta vina 2', 'gamma vina 2', 'acme vina 4']);
      await deliver(BETA, [claimed({ vina: 1 })]);
      await deliver(ACME, [claimed({ vina: 2 })]);
      await makeDue();
      expect(await take()).to.deep.equal(['gamma vina 2', 'beta vina 1', 'acme vina 2']);
    });

    it('more rarely of an organization that chose a smaller weight', async () => {
      await metadata.organizations.replaceSettings(ACME, { work_weight: 25 });
      const ten = () => Array.from({ length: 10 }, () => submitted());
      for (const id of [ACME, BETA]) await deliver(id, ten());
      await deliver(BETA, [claimed({ vina: 3 })]);
      await deliver(ACME, [claimed({ vina: 1 })]);
      expect(await take()).to.deep.equal(['beta vina 7', 'acme vina 9']);
    });

    it('of an organization that returns as if it had got what the others have', async () => {
      for (const id of [ACME, BETA]) await deliver(id, [submitted(), submitted(), submitted(), submitted()]);
      await deliver(ACME, [claimed({ vina: 3 })]);
      await deliver(BETA, [claimed({ vina: 2 })]);
      // It has got nothing so far, and starts at what beta has.
      await deliver(GAMMA, [submitted('vina', new Date(Date.now() + 60_000)), submitted()]);
      await deliver(GAMMA, [claimed({ vina: 1 })]);
      await makeDue();
      // acme and gamma have got three each; acme waits longer.
      expect(await take()).to.deep.equal(['beta vina 2', 'acme vina 1', 'gamma vina 1']);
    });
  });

  describe('are settled', () => {
    const nothing = (version: number, look: Partial<WorkLook> = {}): WorkLook => ({
      engines: ['vina'],
      version,
      isWaiting: false,
      dueInSeconds: null,
      ...look,
    });
    const seen = async (): Promise<number> => {
      await makeDue();
      return Math.max(...(await hints.take(fleet, ANY)).map(({ version }) => version));
    };

    it('and gone, when somebody who saw them found nothing', async () => {
      await deliver(ACME, [submitted(), submitted('gnina')]);
      await deliver(BETA, [submitted()]);
      await hints.settle(ACME, nothing(await seen()));
      expect(await all()).to.deep.equal(['acme gnina 1', 'beta vina 1']);
      await hints.settle(ACME, nothing(await seen(), { engines: ['smina', 'gnina'] }));
      expect(await all()).to.deep.equal(['beta vina 1']);
    });

    it('but stay when they were set anew meanwhile: the look may not have seen that job', async () => {
      await deliver(ACME, [submitted()]);
      const version = await seen();
      await deliver(ACME, [submitted()]);
      for (const look of [{}, { isWaiting: true }, { dueInSeconds: 3600 }])
        await hints.settle(ACME, nothing(version, look));
      expect(await take()).to.deep.equal(['acme vina 2']);
    });

    it('until the first lease may lapse, when nothing waits and something runs', async () => {
      await deliver(ACME, [submitted()]);
      await hints.settle(ACME, nothing(await seen(), { dueInSeconds: 3600.5 }));
      expect(await take()).to.deep.equal([]);
      expect(await all()).to.deep.equal(['acme vina 0']);
    });

    it('for a moment, when what waits is locked by another claim, or is just due', async () => {
      for (const look of [{ isWaiting: true }, { dueInSeconds: -3600 }]) {
        await deliver(ACME, [submitted()]);
        const version = await seen();
        await makeDue();
        await hints.settle(ACME, nothing(version, look));
        expect(await take()).to.deep.equal([]);
        expect((await all()).map((hint) => hint.slice(0, 9))).to.deep.equal(['acme vina']);
      }
    });

    it('for the organization alone whose database was looked into', async () => {
      for (const id of [ACME, BETA]) await deliver(id, [submitted()]);
      await hints.settle(BETA, nothing(Number.MAX_SAFE_INTEGER));
      expect(await all()).to.deep.equal(['acme vina 1']);
    });

    it('without anything, when there is no such hint', async () => {
      await hints.settle(ACME, nothing(0));
      await hints.settle(ACME, nothing(1, { engines: [] }));
      expect(await all()).to.deep.equal([]);
    });
  });
};

for (const subject of METADATA) {
  describe(`hints at work in the metadata ${subject.name}`, function () {
    this.timeout(60_000);
    keepsWorkHints(subject);
  });
}
