import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import type { NewServiceAccountReply, TokenReply } from '../support/access-contract.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

const ORGANIZATIONS = 2000;
const AT_WORK = 20;
const nameOf = (index: number): string => `org-${String(index).padStart(4, '0')}`;

interface WorkReply {
  readonly items: readonly {
    readonly org_id: string;
    readonly engine: string;
    readonly waiting: number;
    readonly oldest_at: string | null;
    readonly hint_version: number;
  }[];
  readonly retry_after_seconds: number;
}

describe('GET /work', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  /** Two processes over one metadata database. */
  let services: readonly HttpService[];
  let fleet: NewServiceAccountReply;
  let token: string;

  before(async () => {
    deployment = await createDeployment();
    services = [await HttpService.start(deployment), await HttpService.start(deployment)];
    await deployment.register(...Array.from({ length: ORGANIZATIONS }, (_, index) => nameOf(index)));
    const platform = first().as(deployment.token(null, ['platform_admin']));
    fleet = (await platform.post<NewServiceAccountReply>('/admin/service-accounts', { name: 'fleet' })).body;
    await deployment.metadata(
      `insert into memberships (user_id, org_id, roles) select $1, org_id, '{worker}' from organizations`,
      fleet.service_account_id,
    );
    const login = await first().call<TokenReply>('POST', '/auth/token', { body: { key: fleet.key } });
    token = login.body.access_token;
  });
  beforeEach(() => deployment.metadata('truncate work_hints'));
  after(async () => {
    await Promise.all(services.map((service) => service.close()));
    await deployment.dispose();
  });

  const first = (): HttpService => {
    const [service] = services;
    if (service === undefined) throw new Error('no service was started');
    return service;
  };
  const callers = (): readonly Caller[] => services.map((service) => service.as(token));
  const ask = async (caller: Caller, query = ''): Promise<WorkReply> => {
    const { status, body, text } = await caller.get<WorkReply>(`/work${query}`);
    expect(status, text).to.equal(200);
    return body;
  };
  /** As the relay tells of a job that was submitted. */
  const tell = async (organization: string, engine = 'vina'): Promise<void> => {
    const entry = {
      auditId: randomUUID(),
      userId: 'user-1',
      action: 'job.submitted',
      entityType: 'job',
      entityId: randomUUID(),
      details: { engine, status: 'PENDING' },
      requestId: null,
      at: new Date(),
    };
    await first().container.get(TOKENS.auditBacklog).deliver(organizationId(organization), [entry]);
  };

  it('finds the organizations at work among thousands, each for one caller, and opens no database', async () => {
    const atWork = Array.from({ length: AT_WORK }, (_, n) => nameOf((n * ORGANIZATIONS) / AT_WORK));
    for (const organization of atWork) await tell(organization);
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, n) => ask(callers()[n % 2] as Caller, '?limit=5')),
    );
    const found = replies.flatMap(({ items }) => items.map(({ org_id: id }) => id));
    expect(found.toSorted()).to.deep.equal(atWork);
    for (const { items, retry_after_seconds: seconds } of replies)
      expect(seconds).to.equal(items.length > 0 ? 0 : 2);
    for (const { container } of services)
      expect(container.get(TOKENS.connectionManager).counts()).to.include({ pools: 0, connections: 0 });
    expect(await deployment.databases(), 'no database was made to look into').to.deep.equal([]);
  });

  it('shows a worker of one organization that one alone', async () => {
    for (const organization of [nameOf(1), nameOf(2)]) await tell(organization);
    const worker = first().as(deployment.token(nameOf(2), ['worker']));
    const { items } = await ask(worker);
    expect(items).to.have.length(1);
    expect(items[0]).to.include({ org_id: nameOf(2), engine: 'vina', waiting: 1 });
    expect(items[0]?.hint_version).to.be.a('number');
    expect(items[0]?.oldest_at).to.be.a('string');
  });

  it('shows the engines that are asked for', async () => {
    for (const engine of ['vina', 'gnina', 'smina']) await tell(nameOf(3), engine);
    const { items } = await ask(callers()[0] as Caller, '?engines=smina,gnina,other');
    expect(items.map(({ engine }) => engine).toSorted()).to.deep.equal(['gnina', 'smina']);
  });

  it('takes nothing away from others when its headers alone are asked for', async () => {
    await tell(nameOf(4));
    expect((await first().call('HEAD', '/work', { token })).status).to.equal(200);
    expect((await ask(callers()[1] as Caller)).items).to.have.length(1);
  });

  it('refuses a query that it does not understand, and names the field', async () => {
    for (const [query, path] of [
      ['engines=', 'engines'],
      ['engines=vina,', 'engines'],
      ['engines=a%00b', 'engines'],
      [`engines=${'x'.repeat(65)}`, 'engines'],
      [`engines=${Array.from({ length: 21 }, (_, n) => `e${n}`).join(',')}`, 'engines'],
      ['engines=a&engines=b', 'engines'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=NaN', 'limit'],
      ['org_id=acme', 'org_id'],
    ]) {
      const { status, body } = await (callers()[0] as Caller).get<Problem>(`/work?${query}`);
      expect(status, query).to.equal(422);
      const paths = body.errors?.map((error) => error.path.replace(/\.\d+$/, ''));
      expect(paths, query).to.include(path);
    }
  });
});
