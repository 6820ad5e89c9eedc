import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createDeployment, type Deployment } from '../support/deployment.ts';
import { fetchBytes, sha256Of } from '../support/fetch-bytes.ts';
import { until } from '../support/gate.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { SecondServer } from '../support/second-server.ts';

/** Of the service and of PostgreSQL in turn. */
const KILLS = Number(process.env['TEST_FILE_KILLS'] ?? 4);
const UPLOADERS = 4;
const UPLOADS_PER_KILL = 12;
const MAX_BYTES = 400_000;

describe('files that are uploaded while the service and PostgreSQL are killed', function () {
  this.timeout(60_000 + KILLS * 20_000);
  let server: SecondServer;
  let deployment: Deployment;
  let service: HttpProcess;
  let url: string;

  before(async () => {
    server = await SecondServer.start();
    deployment = await createDeployment({}, { url: server.url });
    await deployment.register('acme');
    await start();
  });
  after(async () => {
    await service.dispose();
    await deployment.dispose();
    await server.remove();
  });

  const start = async (): Promise<void> => {
    service = await startHttpProcess({ ...deployment.environment, LOG_LEVEL: 'info' });
    url = await service.listening();
  };
  const killService = async (): Promise<void> => {
    process.kill(service.pid, 'SIGKILL');
    await service.dispose();
    await start();
  };
  const killServer = async (): Promise<void> => {
    await server.kill();
    await server.restart();
  };
  const token = (): string => deployment.token('acme', ['member']);
  const upload = (bytes: Buffer) =>
    fetchBytes(`${url}/files`, { method: 'POST', token: token(), body: bytes });
  const states = (): Promise<readonly { sha256: string; state: string; size_bytes: string }[]> =>
    deployment.administer('select sha256, state, size_bytes from files', [], deployment.databaseName('acme'));

  it('are all there when they were acknowledged, and no row that anyone sees is without its bytes', async () => {
    const acknowledged: string[] = [];
    let failed = 0;
    let kills = 0;
    const uploader = async (): Promise<void> => {
      while (kills < KILLS || acknowledged.length < KILLS * UPLOADS_PER_KILL) {
        const bytes = randomBytes(1 + Math.floor(Math.random() * MAX_BYTES));
        const status = await upload(bytes).then(
          (reply) => reply.status,
          () => 0,
        );
        if (status === 201) acknowledged.push(sha256Of(bytes));
        else failed += 1;
      }
    };
    const killer = async (): Promise<void> => {
      for (; kills < KILLS; kills += 1) {
        const enough = (kills + 1) * UPLOADS_PER_KILL;
        await until('there is something to lose', () => acknowledged.length >= enough, 60_000);
        await (kills % 2 === 0 ? killService() : killServer());
      }
    };
    await Promise.all([killer(), ...Array.from({ length: UPLOADERS }, uploader)]);

    expect(failed, 'uploads under way when something was killed').to.be.greaterThan(0);
    await until(
      'the database is served again',
      async () => (await fetchBytes(`${url}/files`, { token: token() })).status === 200,
      30_000,
    );
    for (const sha256 of acknowledged) {
      const { status, bytes } = await fetchBytes(`${url}/files/${sha256}`, { token: token() });
      expect([status, sha256Of(bytes)]).to.deep.equal([200, sha256]);
    }
    const rows = await states();
    const stored = rows.filter(({ state }) => state === 'stored');
    expect(stored.map(({ sha256 }) => sha256)).to.include.members(acknowledged);
    for (const { sha256, size_bytes: size } of stored) {
      const bytes = await readFile(join(deployment.filesFolder, 'acme', sha256.slice(0, 2), sha256));
      expect([sha256Of(bytes), bytes.length]).to.deep.equal([sha256, Number(size)]);
    }
    // What died half way has no name, or a row that nobody sees.
    expect(rows.length - stored.length).to.be.at.most(UPLOADERS * KILLS);
    const uploads = await readdir(join(deployment.filesFolder, 'acme', 'uploads'));
    expect(uploads.length).to.be.at.most(UPLOADERS * KILLS);
  });
});
