import { expect } from 'chai';
import { OrganizationBusyError } from '../../../domain/databases/errors.ts';
import { ResponseAccount } from '../../../presentation/http/request/response-account.ts';
import { Random } from '../../support/random.ts';

const account = (): ResponseAccount => new ResponseAccount({ totalBytes: 100, organizationBytes: 40 });

describe('The account of answers under way', () => {
  it('gives an organization its limit and no more', () => {
    const responses = account();
    const shares = [1, 2, 3, 4].map(() => responses.open('acme'));
    for (const share of shares) share.reserve(10);
    expect(() => responses.open('acme').reserve(1)).to.throw(OrganizationBusyError);
    responses.open('beta').reserve(40);
    shares[0]?.close();
    responses.open('acme').reserve(10);
    expect([responses.bytesOf('acme'), responses.totalBytes, responses.refusals]).to.deep.equal([40, 80, 1]);
  });

  it('gives all organizations together what the process has', () => {
    const responses = account();
    for (const id of ['a', 'b', 'c', 'd', 'e']) responses.open(id).reserve(20);
    expect(() => responses.open('f').reserve(1)).to.throw(OrganizationBusyError);
  });

  it('leaves a share as it was when it refuses to let it grow', () => {
    const responses = account();
    responses.open('acme').reserve(30);
    const share = responses.open('acme');
    share.reserve(10);
    expect(() => share.reserve(11)).to.throw(OrganizationBusyError);
    expect(responses.bytesOf('acme')).to.equal(40);
  });

  it('lets an answer that is alone be as large as it is', () => {
    const responses = account();
    const share = responses.open('acme');
    share.reserve(10);
    share.reserve(1000);
    expect(responses.totalBytes).to.equal(1000);
    expect(() => responses.open('acme').reserve(1), 'beside it').to.throw(OrganizationBusyError);
    share.close();
    responses.open('acme').reserve(1);
  });

  it('takes the size of an answer that is there in place of the estimate, whatever it is', () => {
    const responses = account();
    responses.open('acme').reserve(30);
    const share = responses.open('acme');
    share.reserve(10);
    share.correct(500);
    expect(responses.bytesOf('acme')).to.equal(530);
    share.correct(3);
    share.reserve(2);
    expect(responses.bytesOf('acme'), 'a share never shrinks by a reservation').to.equal(33);
  });

  it('is empty again when all shares are closed, in whatever order and however often', () => {
    const random = new Random(7);
    const responses = account();
    const shares = Array.from({ length: 200 }, () => responses.open(random.pick(['a', 'b', 'c'])));
    for (let step = 0; step < 2000; step += 1) {
      const share = random.pick(shares);
      if (random.chance(0.1)) share.close();
      else if (random.chance(0.2)) share.correct(random.below(50));
      else {
        try {
          share.reserve(random.below(50));
        } catch (error) {
          expect(error).to.be.instanceOf(OrganizationBusyError);
        }
      }
    }
    for (const share of shares) {
      share.close();
      share.close();
      share.correct(10);
      share.reserve(10);
    }
    expect(['a', 'b', 'c'].map((id) => responses.bytesOf(id))).to.deep.equal([0, 0, 0]);
    expect(responses.totalBytes).to.equal(0);
  });
});
