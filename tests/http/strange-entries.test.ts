import { expect } from 'chai';
import { relayOutbox } from '../../application/audit/relay-outbox.ts';
import { TOKENS } from '../../infrastructure/composition/tokens.ts';
import { createDeployment, organizationId, type Deployment } from '../support/deployment.ts';
import type { AuditEntry, Page } from '../support/http-contract.ts';
import { HttpService, type Caller } from '../support/http-service.ts';

describe('A trail with strange entries', function () {
  this.timeout(60_000);
  let deployment: Deployment;
  let service: HttpService;

  before(async () => {
    deployment = await createDeployment();
    service = await HttpService.start(deployment);
    await deployment.register('alpha', 'beta');
  });
  after(async () => {
    await service.close();
    await deployment.dispose();
  });

  const administrator = (id: string): Caller => service.as(deployment.token(id, ['org_admin']));
  const trail = async (id: string, limit: number): Promise<readonly AuditEntry[]> => {
    const entries: AuditEntry[] = [];
    for (let cursor = ''; ;) {
      const path = `/organizations/${id}/audit-logs?limit=${limit}${cursor}`;
      const { status, body } = await administrator(id).get<Page<AuditEntry>>(path);
      expect(status, path).to.equal(200);
      entries.push(...body.items);
      expect(entries.length, 'more entries than there are').to.be.below(1000);
      if (body.next_cursor === null) return entries;
      cursor = `&cursor=${body.next_cursor}`;
    }
  };

  it('is read when an organization’s own SQL put anything at all into its outbox', async () => {
    const member = service.as(deployment.token('alpha', ['member']));
    expect((await member.post('/jobs', { engine: 'vina', inputs: { a: 1 } })).status).to.equal(201);
    const insert = (values: string): Promise<unknown> =>
      deployment.administer(
        `insert into audit_outbox (audit_id, user_id, action, entity_type, entity_id, details, ts) values (${values})`,
        [],
        deployment.databaseName('alpha'),
      );
    const [id, twice] = [`gen_random_uuid()`, `'00000000-0000-4000-8000-000000000001'`];
    for (const ts of ['infinity', '-infinity', '0044-03-15 BC', '294276-12-31'])
      await insert(`${id}, null, 'strange.time', 'job', '${ts}', '{}', '${ts}'`);
    await insert(`${id}, repeat('u', 100000), repeat('a', 100000), 'job', repeat('e', 100000), '{}', now()`);
    await insert(`${id}, null, 'strange.details', 'job', '1', '[1, 2]', now()`);
    await insert(
      `${id}, null, 'strange.size', 'job', '1', jsonb_build_object('text', repeat('x', 10000000)), now()`,
    );
    for (let n = 0; n < 2; n += 1) await insert(`${twice}, null, 'strange.twin', 'job', '1', '{}', now()`);

    const relay = relayOutbox({
      databases: service.container.get(TOKENS.connectionManager),
      backlog: service.container.get(TOKENS.auditBacklog),
      logger: service.container.get(TOKENS.logger),
      now: Date.now,
    });
    expect(await relay(organizationId('alpha'))).to.deep.equal({ count: 10, hasMore: false });
    expect((await relay(organizationId('alpha'))).count, 'nothing is left behind').to.equal(0);

    const entries = await trail('alpha', 3);
    const of = (action: string) => entries.filter((entry) => entry.action === action);
    expect(of('job.submitted')).to.have.length(1);
    expect(of('strange.time')).to.have.length(4);
    expect(of('strange.twin')).to.have.length(1);
    expect(of('strange.size')[0]?.details).to.deep.equal({ unreadable: true });
    for (const { ts } of entries) expect(Math.abs(Date.parse(ts) - Date.now())).to.be.below(60_000);
    expect(JSON.stringify(entries).length).to.be.below(20_000);
  });

  it('is read whole, though entries at impossible times are there already', async () => {
    const times = [
      'infinity',
      '12000-01-01',
      'infinity',
      '2020-05-05',
      '-infinity',
      '0044-03-15 BC',
      '1969-07-20',
    ];
    for (const [n, ts] of times.entries()) {
      await deployment.metadata(
        `insert into audit_logs (org_id, action, entity_type, entity_id, ts) values ('beta', 'told', 'job', $1, $2)`,
        `${n} ${ts}`,
        ts,
      );
    }
    const inOrder = [2, 0, 1, 3, 6, 5, 4].map((n) => `${n} ${times[n]}`);
    for (const limit of [1, 2, 3, 200]) {
      const entries = await trail('beta', limit);
      expect(
        entries.map(({ entity_id }) => entity_id),
        `pages of ${limit}`,
      ).to.deep.equal(inOrder);
    }
  });
});
