import { expect } from 'chai';
import { LOOK_AGAIN_MS, RoleLimits } from '../../../infrastructure/servers/role-limits.ts';
import { Gate } from '../../support/gate.ts';

describe('the limit of a role that takes no more sessions', () => {
  it('is raised once for all logins that fail meanwhile', async () => {
    const gate = new Gate();
    const raised: string[] = [];
    const limits = new RoleLimits(async (stamp) => {
      raised.push(stamp);
      await gate.opened;
      return true;
    });
    const asked = Promise.all([limits.hasRoom('a'), limits.hasRoom('a'), limits.hasRoom('b')]);
    gate.open();
    expect(await asked).to.deep.equal([true, true, true]);
    expect(raised).to.deep.equal(['a', 'b']);
  });

  it('is looked at again after a while: another process may have lowered it', async () => {
    let now = 0;
    let looks = 0;
    const limits = new RoleLimits(
      async () => {
        looks += 1;
        return true;
      },
      () => now,
    );
    expect(await limits.hasRoom('a')).to.equal(true);
    expect(await limits.hasRoom('a'), 'it is full by right').to.equal(false);
    now = LOOK_AGAIN_MS;
    expect(await limits.hasRoom('a')).to.equal(true);
    expect(looks).to.equal(2);
  });

  it('is looked at again at once when the server did not let it be raised', async () => {
    const answers = [() => Promise.reject(new Error('no session')), () => Promise.resolve(true)];
    const limits = new RoleLimits(() => answers.shift()?.() ?? Promise.resolve(false));
    expect(await limits.hasRoom('a')).to.equal(false);
    expect(await limits.hasRoom('a')).to.equal(true);
  });
});
