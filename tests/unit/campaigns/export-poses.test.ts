import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { exportPoses, type PlacedPose } from '../../../application/campaigns/export-poses.ts';
import { readFirstModel } from '../../../application/campaigns/first-model.ts';
import type { WithDatabase } from '../../../application/ports/databases/results-database.ts';
import { parseOrganizationId } from '../../../domain/organizations/organization-id.ts';
import { FakeFileStore } from '../../support/fakes/fake-file-store.ts';
import { FakeResults } from '../../support/fakes/fake-results.ts';
import { atom } from '../../support/fakes/molecules.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const ATOM = atom(1, [1, 2, 3]);

describe('the first model of a file', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['of several', `MODEL 1\nREMARK one\n${ATOM}\nENDMDL\nMODEL 2\n${ATOM}\nENDMDL\n`, ['REMARK one', ATOM]],
    ['after what is no part of it', `REMARK head\nMODEL 1\n${ATOM}\nENDMDL\n`, [ATOM]],
    ['without blank lines', `MODEL 1\n\nREMARK é\n  \n${ATOM}\n\nENDMDL\n`, ['REMARK é', ATOM]],
    ['with the line ends of Windows', `MODEL 1\r\n${ATOM}\r\nENDMDL\r\n`, [ATOM]],
    ['that is the whole file', `ROOT\n${ATOM}\nENDROOT`, ['ROOT', ATOM, 'ENDROOT']],
  ];
  for (const [what, text, lines] of cases)
    it(`is read ${what}, wherever the bytes are cut`, async () => {
      for (const size of [1, 7, 1000])
        expect(await readFirstModel(inChunks(text, size)), `${size}`).to.deep.equal({ lines });
    });

  it('is missed in a file without atoms, and in one that does not end', async () => {
    for (const text of ['', 'MODEL 1\nENDMDL\n', 'an error page'])
      expect(await readFirstModel(inChunks(text, 100))).to.deep.equal({ problem: 'its file holds no pose' });
    let read = 0;
    const endless = async function* () {
      for (; read < 1000; read += 1) yield Buffer.alloc(64 * 1024, 'x');
    };
    expect(await readFirstModel(endless()))
      .to.have.property('problem')
      .that.includes('1048576 bytes');
    expect(read).to.be.below(20);
  });
});

describe('the export of poses', () => {
  const organizationId = parseOrganizationId('acme', 51);
  const CAMPAIGN = 'campaign-1';
  const REQUEST = {
    campaignId: CAMPAIGN,
    sort: 'affinity',
    order: 'asc',
    minAffinity: null,
    maxAffinity: null,
    labelPrefix: null,
    includesSuspect: false,
    poses: 1,
  } as const;

  it('reads no more files than are wanted, and holds no database meanwhile', async () => {
    const results = new FakeResults();
    const store = new FakeFileStore();
    const text = Buffer.from(`MODEL 1\n${ATOM}\nENDMDL\n`);
    const sha256 = createHash('sha256').update(text).digest('hex');
    await store.receive(organizationId, 'upload', {
      bytes: inChunks(text.toString(), 100),
      maxBytes: 1000,
      look: () => undefined,
    });
    await store.publish(organizationId, 'upload', sha256);
    for (let index = 0; index < 450; index += 1) {
      const jobId = `job-${String(index).padStart(3, '0')}`;
      const artifact = await results.artifacts.insert({
        jobId,
        name: 'poses.pdbqt',
        purpose: 'poses',
        uri: '',
        sha256,
        contentType: null,
        sizeBytes: null,
        checksum: null,
        leaseId: null,
        note: { action: 'artifact.added', details: {}, userId: null, requestId: null, address: null },
      });
      results.storedScores.set(jobId, {
        jobId,
        campaignId: CAMPAIGN,
        label: null,
        bestAffinity: index - 1000,
        poseCount: 1,
        poses: [],
        suspect: [],
        ligand: null,
        posesArtifactId: artifact.artifactId,
        createdAt: new Date(0),
      });
    }
    let leased = 0;
    let opened = 0;
    const withDatabase: WithDatabase = async (work) => {
      leased += 1;
      try {
        return await work(results);
      } finally {
        leased -= 1;
      }
    };
    const fileStore = {
      sizeOf: (...asked: Parameters<FakeFileStore['sizeOf']>) => store.sizeOf(...asked),
      open: async (...asked: Parameters<FakeFileStore['open']>) => {
        expect(leased).to.equal(0);
        opened += 1;
        return store.open(...asked);
      },
    };
    const found: PlacedPose[] = [];
    for await (const group of exportPoses({ withDatabase, fileStore, organizationId }, REQUEST, 403)) {
      expect([leased, store.openReads]).to.deep.equal([0, 0]);
      found.push(...group);
    }
    expect(found.map(({ job }) => job.rank)).to.deep.equal(Array.from({ length: 403 }, (_, at) => at + 1));
    expect(found.every(({ model }) => 'lines' in model)).to.equal(true);
    expect(opened).to.equal(403);
  });
});
