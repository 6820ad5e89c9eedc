import { expect } from 'chai';
import type { ChildCommand } from '../support/child-protocol.ts';
import { startChildService } from '../support/child-service.ts';
import { createDeployment, type Deployment } from '../support/deployment.ts';

const ORGANIZATIONS = Array.from({ length: 20 }, (_, index) => `storm-${String(index).padStart(2, '0')}`);
const REQUESTS = 200;

describe('a storm of first requests', function () {
  this.timeout(60_000);
  let deployment: Deployment;

  beforeEach(async () => {
    deployment = await createDeployment({
      DB_CONNECTION_BUDGET: '25',
      DB_ACQUIRE_TIMEOUT_MS: '40000',
    });
    await deployment.register(...ORGANIZATIONS);
  });
  afterEach(() => deployment.dispose());

  it('storm-of-200-first-requests-for-20-organizations-over-three-processes-makes-20-databases', async () => {
    const { environment } = deployment;
    const children = await Promise.all([1, 2, 3].map(() => startChildService(environment)));
    const callTo = (index: number, command: ChildCommand): Promise<unknown> => {
      const child = children[index % children.length];
      if (child === undefined) throw new Error('no child was started');
      return child.call(command);
    };
    try {
      const answers = await Promise.all(
        Array.from({ length: REQUESTS }, (_, index) =>
          callTo(index, {
            do: 'write',
            organizationId: ORGANIZATIONS[Math.floor(index / 10)] ?? '',
            submittedBy: `request ${index}`,
          }),
        ),
      );
      expect(new Set(answers).size).to.equal(REQUESTS);

      const created = await Promise.all(children.map((child) => child.call({ do: 'created' })));
      expect(created.flat()).to.have.length(ORGANIZATIONS.length);
      const names = (await deployment.databases()).filter((name) => !name.startsWith('template.'));
      expect(names).to.deep.equal(ORGANIZATIONS.map((id) => deployment.databaseName(id)));
      const read = await Promise.all(
        ORGANIZATIONS.map((organizationId) => callTo(0, { do: 'read', organizationId })),
      );
      expect(read, 'rows of each').to.deep.equal(ORGANIZATIONS.map(() => REQUESTS / ORGANIZATIONS.length));
      const rows = await deployment.administer(
        `select d.state, count(*)::int as organizations, (select count(*)::int from spare_databases) as spares,
           (select count(*)::int from audit_logs where action = 'database.provisioned') as audited
         from organization_databases d group by d.state`,
        [],
        deployment.metadataDatabase,
      );
      expect(rows).to.deep.equal([{ state: 'ready', organizations: 20, spares: 0, audited: 20 }]);
    } finally {
      await Promise.all(children.map((child) => child.stop()));
    }
  });
});
