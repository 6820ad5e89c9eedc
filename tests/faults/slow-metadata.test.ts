import { expect } from 'chai';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { captureLog } from '../support/captured-log.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import { until } from '../support/gate.ts';
import type { Problem } from '../support/http-contract.ts';
import { HttpService } from '../support/http-service.ts';
import { startTcpProxy, throughProxies, type TcpProxy } from '../support/tcp-proxy.ts';

/** Each way: an answer takes 700 ms, and a login some three seconds. */
const DELAY_MS = 350;
const ACME = organizationId('acme');
const SUBMISSION = { engine: 'vina', inputs: { ligand: 'CCO' } };

interface Readiness {
  readonly status: string;
  readonly checks: { readonly change_feed: boolean };
}

describe('A metadata server that answers late', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let metadata: TcpProxy;
  let service: HttpService;
  let log: ReturnType<typeof captureLog>;

  beforeEach(async () => {
    deployment = await createDeployment();
    await deployment.register('acme', 'beta');
    metadata = await startTcpProxy(deployment.environment['DB_DATABASE_URL'] ?? '');
    const container = deployment.start(throughProxies(deployment, { metadata }));
    log = captureLog(container);
    service = await HttpService.over(deployment, container, ['acme', 'beta']);
    for (const id of ['acme', 'beta']) expect((await submit(id)).status).to.equal(201);
  });
  afterEach(async () => {
    await metadata.resume();
    await service.close();
    metadata.close();
    await deployment.dispose();
  });

  const submit = (id: string) =>
    service.as(deployment.token(id, ['member'])).post<Problem>('/jobs', SUBMISSION);
  const suspend = (id: string) =>
    deployment.metadata(`update organizations set status = 'suspended' where org_id = $1`, id);
  const feed = () => service.container.get(TOKENS.changeFeed);

  it('slow-metadata-does-not-hide-a-suspension', async () => {
    metadata.delay(DELAY_MS);
    await suspend('acme');
    let code: string | undefined;
    await until('the process refuses', async () => {
      ({ code } = (await submit('acme')).body);
      return code === 'organization_suspended';
    });
    expect((await submit('beta')).status).to.equal(201);
  });

  it('does not hide quotas and deadlines either', async () => {
    metadata.delay(DELAY_MS);
    await deployment.metadata(
      `insert into settings (org_id, settings) values ('acme', '{"max_connections": 1}')`,
    );
    const policies = service.container.get(TOKENS.organizationPolicies);
    await until('the process knows', async () => {
      expect((await submit('acme')).status).to.equal(201);
      return policies.policyOf(ACME).maxConnections === 1;
    });
  });

  it('is told by /ready, and in the log, until it is over', async () => {
    const ready = async () => (await service.call<Readiness>('GET', '/ready')).body;
    expect(await ready()).to.deep.include({ status: 'ready' });
    metadata.delay(DELAY_MS);
    await until('/ready says it', async () => !(await ready()).checks.change_feed);
    expect((await ready()).status).to.equal('not_ready');
    const told = () => log.filter(({ message }) => message === 'the feed of metadata changes is behind');
    await until('the log says it', () => told().length > 0);
    expect(told()[0]?.level).to.equal('warn');
    await metadata.resume();
    await until('/ready says that it is over', async () => (await ready()).checks.change_feed);
    await until('the log says that it is over', () =>
      log.some(({ message }) => message === 'the feed of metadata changes is up to date again'),
    );
    expect(feed().isCurrent).to.equal(true);
  });
});
