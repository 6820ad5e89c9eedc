import { expect } from 'chai';
import { AccessToken } from '../../../presentation/worker/access-token.ts';
import { isFleetToken } from '../../../presentation/worker/credentials.ts';
import { rejectionOf } from '../../support/gate.ts';

const HOUR_S = 3600;

describe('the token of a worker', () => {
  /** Tokens are called by their numbers. */
  const tokenOf = (lives: readonly (number | null)[]) => {
    const clock = { nowMs: 0 };
    let issued = 0;
    const token = new AccessToken(
      () => {
        const life = lives[issued];
        issued += 1;
        if (life === undefined) return Promise.reject(new Error('no more tokens'));
        return Promise.resolve({ access_token: String(issued), expires_in: life });
      },
      () => clock.nowMs,
    );
    return { token, clock };
  };

  it('is replaced well before it ends: a job may take longer', async () => {
    const { token, clock } = tokenOf([HOUR_S, HOUR_S]);
    expect(await token.text()).to.equal('1');
    clock.nowMs = 47 * 60_000;
    expect(await token.text()).to.equal('1');
    clock.nowMs = 49 * 60_000;
    expect(await token.text()).to.equal('2');
  });

  it('is asked for once by all who need it at the same time', async () => {
    const { token } = tokenOf([HOUR_S]);
    expect(await Promise.all([token.text(), token.text(), token.text()])).to.deep.equal(['1', '1', '1']);
  });

  it('is replaced when the service refuses it, once for all who were refused', async () => {
    const { token } = tokenOf([null, null, null]);
    const text = await token.text();
    await Promise.all([token.refused(text), token.refused(text)]);
    expect(await token.text()).to.equal('2');
    await token.refused(text);
    expect(await token.text()).to.equal('2');
  });

  it('is asked for anew after a failure', async () => {
    const { token, clock } = tokenOf([1]);
    expect(await token.text()).to.equal('1');
    clock.nowMs = 10_000;
    expect(String(await rejectionOf(token.text()))).to.include('no more tokens');
    expect(String(await rejectionOf(token.text()))).to.include('no more tokens');
  });

  it('says by its roles whether it is one of a fleet', () => {
    const withClaims = (claims: object): string =>
      `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
    expect(isFleetToken(withClaims({ roles: ['fleet'] }))).to.equal(true);
    expect(isFleetToken(withClaims({ roles: ['worker'], org_id: 'fleet' }))).to.equal(false);
    for (const odd of ['', 'opaque', 'a.b.c', withClaims({}), withClaims({ roles: 'fleet' })])
      expect(isFleetToken(odd), odd).to.equal(false);
  });
});
