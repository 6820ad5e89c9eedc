import { expect } from 'chai';
import { addMember } from '../../../application/members/add-member.ts';
import { OrganizationBusyError } from '../../../domain/databases/errors.ts';
import { FakeMetadata } from '../../support/fakes/fake-metadata.ts';
import { organization } from '../../support/fakes/fake-service.ts';
import { rejectionOf } from '../../support/gate.ts';

describe('the members that an organization adds', () => {
  it('are limited, for each made a user may be made that stays', async () => {
    const [acme, beta] = [organization('acme'), organization('beta')];
    const metadata = new FakeMetadata();
    for (const id of [acme, beta]) metadata.add(id);
    const add = addMember({ metadata });
    const actor = {
      principal: { userId: 'admin', organizationId: acme, roles: new Set(['org_admin'] as const) },
      requestId: 'r',
      address: null,
    };
    const member = (n: number) => ({ email: `${n}@example.org`, roles: ['member'] as const });
    for (let n = 0; n < 1000; n += 1) await add(actor, acme, member(n));

    expect(await rejectionOf(add(actor, acme, member(1000)))).to.be.instanceOf(OrganizationBusyError);
    expect((await add(actor, beta, member(1001))).roles).to.deep.equal(['member']);
  });
});
