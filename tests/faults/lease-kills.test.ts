import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { LeaseWorkers } from '../support/lease-workers.ts';
import { Random } from '../support/random.ts';
import { SecondServer } from '../support/second-server.ts';
import { send } from '../support/send.ts';

/** The whole measure is 20: it takes three minutes on two cores. */
const KILLS = Number(process.env['TEST_LEASE_KILLS'] ?? 4);
const SEED = Number(process.env['TEST_LEASE_SEED'] ?? Date.now() % 4_294_967_296);
const COMPLETIONS_PER_KILL = 25;
const COMPLETIONS = (KILLS + 1) * COMPLETIONS_PER_KILL;
/** More than the workers bring to an end while another process starts. */
const JOBS = (KILLS + 1) * 250;
const WORKERS = 8;
const AT_ONCE = 10;

describe('a service and a server that are killed while workers claim and complete', function () {
  this.timeout(90_000 + KILLS * 30_000);
  let server: SecondServer;
  let deployment: Deployment;

  before(async () => {
    server = await SecondServer.start();
    deployment = await createDeployment({}, { url: server.url });
    await deployment.register('acme');
  });
  after(async () => {
    await deployment.dispose();
    await server.remove();
  });

  it('lose no acknowledged completion, and complete no job under two leases', async () => {
    const start = () => startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'info' });
    let isStopped = false;
    let service: HttpProcess = await start();
    let url = await service.listening();
    const member = deployment.token('acme', ['member']);
    const worker = deployment.token('acme', ['worker']);
    const submit = { engine: 'killed', inputs: { a: 1 }, max_attempts: 10 };
    const submissions = Array.from(
      { length: JOBS },
      () => () => send(url, 'POST', '/jobs', { token: member, body: submit }),
    );
    for (let at = 0; at < JOBS; at += AT_ONCE)
      for (const { status } of await Promise.all(submissions.slice(at, at + AT_ONCE).map((post) => post())))
        expect(status).to.equal(201);

    const serves = () =>
      send(url, 'GET', '/jobs?limit=1', { token: member }).then(
        ({ status }) => status === 200,
        () => false,
      );
    const workers = new LeaseWorkers({
      call: async (method, path, body, leaseId) => {
        const headers = leaseId === undefined ? {} : { 'X-Lease-Id': leaseId };
        const answer = await send(url, method, path, { token: worker, body, headers });
        if (answer.status >= 500) throw new Error(`the service answered ${answer.status}`);
        return answer;
      },
      execute: (sql, values = []) => deployment.administer(sql, values, deployment.databaseName('acme')),
      recover: () => until('the service serves', async () => isStopped || (await serves()), 60_000),
      random: new Random(SEED),
      engine: 'killed',
    });
    let kills = 0;
    const isOver = () => isStopped || (kills === KILLS && workers.completed.size >= COMPLETIONS);
    const killer = async (): Promise<void> => {
      while (kills < KILLS) {
        const enough = workers.completed.size + COMPLETIONS_PER_KILL / 2;
        await until('there is something to lose', () => workers.completed.size >= enough, 60_000);
        if (kills % 2 === 0) {
          const next = await start();
          const nextUrl = await next.listening();
          await service.dispose();
          [service, url] = [next, nextUrl];
        } else {
          await server.kill();
          await server.restart();
        }
        kills += 1;
      }
    };
    try {
      await Promise.all([killer(), ...Array.from({ length: WORKERS }, () => workers.work(isOver))]);
      await until('the service serves again', serves);
      await workers.drain();
    } finally {
      isStopped = true;
      await service.dispose();
    }
    const seen = `seed ${SEED}: ${JSON.stringify(workers.counts)}`;
    expect(workers.counts.unanswered, seen).to.be.greaterThan(0);
    expect(workers.problems, seen).to.deep.equal([]);
    expect(await workers.contradictions(), seen).to.deep.equal([]);
  });
});
