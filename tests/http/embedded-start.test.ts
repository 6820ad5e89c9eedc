import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { until } from '../support/gate.ts';
import type { Job, Page } from '../support/http-contract.ts';
import { startHttpProcess, type HttpProcess } from '../support/http-process.ts';
import { send } from '../support/send.ts';
import { createTestDirectory } from '../support/test-directories.ts';

const secretsSchema = z.object({ JWT_SECRET: z.string() });

describe('A start on an empty machine', function () {
  this.timeout(90_000);
  let directory: string;
  let service: HttpProcess;

  before(async () => {
    directory = await createTestDirectory();
  });
  afterEach(async () => {
    service.kill('SIGTERM');
    await service.exited;
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const start = async (): Promise<HttpProcess> => {
    service = await startHttpProcess({ PORT: '0', DB_SPARES_MIN: '0' }, null, directory);
    return service;
  };
  const secretsFile = (): string => join(directory, '.data', 'secrets.json');
  /** Of a member of acme, whatever the secrets are now. */
  const member = async (): Promise<string> => {
    const { JWT_SECRET } = secretsSchema.parse(JSON.parse(await readFile(secretsFile(), 'utf8')));
    const claims = { sub: 'user-1', org_id: 'acme', roles: ['member'] };
    return jwt.sign(claims, JWT_SECRET, { issuer: 'mad.local', audience: 'mad', expiresIn: 600 });
  };
  const printedToken = async (): Promise<string> => {
    const printed = (): string | undefined => /ey[\w-]+\.[\w-]+\.[\w-]+(?=\s)/.exec(service.stdout())?.[0];
    await until('a token is printed', () => printed() !== undefined);
    return printed() ?? '';
  };
  const linesOf = (level: string): readonly string[] =>
    service
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith(`{"level":"${level}"`));

  it('says what takes time before it does it, warns of nothing, and prints a token that works', async () => {
    const url = await (await start()).listening();
    expect(service.stdout()).to.match(/^\{[^\n]*"msg":"making the embedded database server/);
    expect([...linesOf('warn'), ...linesOf('error')]).to.deep.equal([]);
    // The greeting comes after the address: a token is only granted once there is somebody to take it to.
    const token = await printedToken();
    const created = await send(url, 'POST', '/organizations', {
      token,
      body: { org_id: 'acme', name: 'Acme' },
    });
    expect(created.status).to.equal(201);
    const granted = '/admin/audit-logs?action=operator_token.granted';
    const trail = await send<{ readonly items: readonly unknown[] }>(url, 'GET', granted, { token });
    expect(trail.body.items).to.have.length(1);
    const body = { engine: 'vina', inputs: { ligand: 'CCO' } };
    expect((await send(url, 'POST', '/jobs', { token: await member(), body })).status).to.equal(201);
    service.kill('SIGTERM');
    expect((await service.exited).code).to.equal(0);
    expect(service.stdout()).to.match(/"msg":"stopped"\}\n$/);
  });

  it('serves every organization again after its secrets were lost, and says that they were', async () => {
    await rm(secretsFile());
    const url = await (await start()).listening();
    expect(linesOf('warn').join()).to.include('the secrets were lost');
    const { status, body, text } = await send<Page<Job>>(url, 'GET', '/jobs', { token: await member() });
    expect([status, body.items?.length], text).to.deep.equal([200, 1]);
    expect(JSON.parse(await readFile(secretsFile(), 'utf8'))).to.have.all.keys(
      'JWT_SECRET',
      'DB_ROLE_SECRET',
    );
  });

  it('does not begin with damaged secrets, and names their file in one line', async () => {
    await writeFile(secretsFile(), '{"JWT_SECRET":"');
    const { exited, stderr, stdout } = await start();
    expect((await exited).code).to.equal(1);
    expect(stderr()).to.match(
      /^The service cannot start: \/\S+\/\.data\/secrets\.json is damaged: [^\n]+\n$/,
    );
    expect(stdout()).to.equal('');
  });
});
