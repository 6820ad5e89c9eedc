import { expect } from 'chai';
import type { MetadataDatabase } from '../../application/ports/databases/metadata-database.ts';
import type { ResultsDatabase } from '../../application/ports/databases/results-database.ts';
import type { AuditEntry, AuditKey } from '../../domain/audit/audit-log.ts';
import type { JobKey } from '../../domain/jobs/docking-job-repository.ts';
import type { Page, PagePart, PartRequest } from '../../domain/page.ts';
import { organizationId } from '../support/deployment.ts';
import { fakeUuid } from '../support/fakes/fake-results.ts';
import { sampleJob, sampleNote, sampleResult } from '../support/sample-job.ts';
import { METADATA, RESULTS } from './subjects.ts';

const KIB = 1024;
/** Of rows in the order of their list. */
const SIZES_KIB = [0, 40, 1, 300, 0, 0, 90, 90, 2000, 1];

/** A list whose rows have a text of these sizes. */
interface Sized<Key> {
  list(part: PartRequest<Key>): Promise<PagePart<{ readonly name: string }, Key>>;
}

const keepsItsSizes = <Key>(made: () => Promise<Sized<Key>>): void => {
  let list: Sized<Key>['list'];
  before(async () => {
    ({ list } = await made());
  });
  const namesOf = (page: Page<{ readonly name: string }, Key>) => page.items.map(({ name }) => Number(name));

  it('returns what fits, and the size of what follows', async () => {
    const part = await list({ limit: 10, after: null, maxBytes: 60 * KIB });
    expect(namesOf(part)).to.deep.equal([0, 1, 2]);
    expect(part.bytes).to.be.within(41 * KIB, 44 * KIB);
    expect(part.followingBytes).to.be.within(300 * KIB, 302 * KIB);
  });

  it('returns nothing when the first row does not fit, but its size', async () => {
    const { next } = await list({ limit: 8, after: null });
    const part = await list({ limit: 8, after: next, maxBytes: 1000 * KIB });
    expect(part).to.deep.include({ items: [], next: null, bytes: 0 });
    expect(part.followingBytes).to.be.within(2000 * KIB, 2002 * KIB);
  });

  it('ends at the limit, and says whether more follows', async () => {
    const limited = await list({ limit: 3, after: null });
    expect([namesOf(limited), limited.followingBytes === null]).to.deep.equal([[0, 1, 2], false]);
    const all = await list({ limit: 10, after: null, maxBytes: 4000 * KIB });
    expect([namesOf(all), all.next, all.followingBytes]).to.deep.equal([[...SIZES_KIB.keys()], null, null]);
  });

  it('gives each row once in parts of any size', async () => {
    for (const maxBytes of [2001 * KIB + 500, 2500 * KIB]) {
      const seen: number[] = [];
      let after: Key | null = null;
      do {
        const part: PagePart<{ readonly name: string }, Key> = await list({ limit: 4, after, maxBytes });
        expect(part.bytes).to.be.at.most(maxBytes);
        seen.push(...namesOf(part));
        after = part.next;
      } while (after !== null);
      expect(seen).to.deep.equal([...SIZES_KIB.keys()]);
    }
  });

  it('is empty beyond its end', async () => {
    const { items } = await list({ limit: 9, after: null });
    expect(items).to.have.length(9);
    const { next } = await list({ limit: 9, after: null });
    const last = await list({ limit: 9, after: next });
    expect(namesOf(last)).to.deep.equal([9]);
    expect(last.followingBytes).to.equal(null);
  });
};

/** It is compressed where it lies. What counts is the length that is sent. */
const textOf = (kib: number): string => 'x'.repeat(kib * KIB);

for (const subject of RESULTS) {
  describe(`lists of large results ${subject.name}`, function () {
    this.timeout(60_000);
    let database: ResultsDatabase;
    before(async () => {
      await subject.open();
      database = await subject.empty();
    });
    after(() => subject.close());

    describe('of jobs', () =>
      keepsItsSizes<JobKey>(async () => {
        const ids = new Map<string, string>();
        // The newest comes first; of one moment, the one with the greatest id.
        for (const [index, kib] of [...SIZES_KIB.entries()].toReversed()) {
          const job = sampleJob({ jobId: fakeUuid(100 - index), inputs: { text: textOf(kib) } });
          ids.set(job.jobId, String(index));
          await database.jobs.insert(job);
        }
        const named = ({ jobId }: { readonly jobId: string }) => ({ name: ids.get(jobId) ?? '' });
        return {
          list: async (part) => {
            const found = await database.jobs.list({ status: 'PENDING' }, part);
            return { ...found, items: found.items.map(named) };
          },
        };
      }));

    describe('of task results', () =>
      keepsItsSizes<string>(async () => {
        const job = await database.jobs.insert(sampleJob());
        const jobId = job?.jobId ?? '';
        for (const [index, kib] of SIZES_KIB.entries())
          await database.taskResults.put(
            sampleResult(jobId, { taskName: String(index), resultData: { text: textOf(kib) } }),
          );
        return {
          list: async (part) => {
            const found = await database.taskResults.listByJob(jobId, part);
            return { ...found, items: found.items.map(({ taskName: name }) => ({ name })) };
          },
        };
      }));
  });
}

for (const subject of METADATA) {
  describe(`the list of large audit entries ${subject.name}`, function () {
    this.timeout(60_000);
    let metadata: MetadataDatabase;
    before(async () => {
      await subject.open();
      ({ metadata } = await subject.empty());
    });
    after(() => subject.close());

    /** Details of an entry are cut above 8 KiB. */
    const DETAILS_KIB = 7;
    const ENTRY_BYTES = 7.5 * KIB;

    for (const organization of [organizationId('acme'), null])
      it(`ends a part ${organization === null ? 'of no organization' : 'of one organization'} with its bytes`, async () => {
        if (organization !== null) await metadata.organizations.insert({ id: organization, name: 'Acme' });
        for (const name of SIZES_KIB.keys())
          await metadata.auditLog.append({
            ...sampleNote('tested.sized'),
            organizationId: organization,
            entityType: 'test',
            entityId: String(name),
            details: { text: textOf(DETAILS_KIB) },
          });
        const seen: string[] = [];
        let after: AuditKey | null = null;
        do {
          const part: PagePart<AuditEntry, AuditKey> = await metadata.auditLog.list(
            organization,
            { action: 'tested.sized' },
            { limit: 4, after, maxBytes: 3 * ENTRY_BYTES },
          );
          expect(part.bytes).to.be.within(DETAILS_KIB * KIB, 3 * ENTRY_BYTES);
          if (part.next !== null) expect(part.items).to.have.length(3);
          seen.push(...part.items.map(({ entityId }) => entityId));
          after = part.next;
        } while (after !== null);
        expect(seen).to.deep.equal([...SIZES_KIB.keys()].toReversed().map(String));
      });

    it('returns nothing when the first entry does not fit, but its size', async () => {
      const filter = { action: 'tested.sized' };
      const part = await metadata.auditLog.list(null, filter, { limit: 4, after: null, maxBytes: KIB });
      expect(part).to.deep.include({ items: [], next: null, bytes: 0 });
      expect(part.followingBytes).to.be.within(DETAILS_KIB * KIB, ENTRY_BYTES);
    });
  });
}
