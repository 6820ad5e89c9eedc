import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { HttpService } from '../support/http-service.ts';
import { LeaseWorkers } from '../support/lease-workers.ts';
import { Random } from '../support/random.ts';

/** The whole measure is 2000: about two minutes on two cores. */
const JOBS = Number(process.env['TEST_LEASE_JOBS'] ?? 80);
/** Given, the same steps are drawn again; what runs side by side may still differ. */
const SEED = Number(process.env['TEST_LEASE_SEED'] ?? Date.now() % 4_294_967_296);
const WORKERS = 6;

describe('workers that claim, complete, sleep and die at random', function () {
  this.timeout(60_000 + JOBS * 200);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment, ['alpha']);
    await deployment.register('alpha');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  it('bring each job to its end once, and are told nothing that is not so', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    const token = deployment.token('alpha', ['worker']);
    for (let index = 0; index < JOBS; index += 1) {
      const job = { engine: 'fuzz', inputs: { index }, max_attempts: 10, priority: index % 3 };
      expect((await member.post('/jobs', job)).status).to.equal(201);
    }
    const workers = new LeaseWorkers({
      call: (method, path, body, leaseId) =>
        service.call(method, path, {
          token,
          body,
          ...(leaseId !== undefined && { headers: { 'X-Lease-Id': leaseId } }),
        }),
      execute: (sql, values = []) => deployment.administer(sql, values, deployment.databaseName('alpha')),
      recover: async () => undefined,
      random: new Random(SEED),
      engine: 'fuzz',
    });
    const enough = JOBS * 0.8;
    await Promise.all(
      Array.from({ length: WORKERS }, () => workers.work(() => workers.completed.size >= enough)),
    );
    await workers.drain();

    const seen = `seed ${SEED}: ${JSON.stringify(workers.counts)}`;
    expect(workers.problems, seen).to.deep.equal([]);
    expect(await workers.contradictions(), seen).to.deep.equal([]);
    expect(workers.counts.unanswered, seen).to.equal(0);
    for (const kind of ['refused', 'lapsed', 'released', 'failed'] as const)
      expect(workers.counts[kind], seen).to.be.greaterThan(0);
  });
});
