import { expect } from 'chai';
import { gathered } from '../../../presentation/console/gathered.ts';
import { Gate, until } from '../../support/gate.ts';

describe('What the console asks for again after events', () => {
  it('is asked for once for a burst of them', async () => {
    let asked = 0;
    const refresh = gathered(async () => (asked += 1), 1);
    for (let event = 0; event < 5; event += 1) refresh();
    await until('it is asked for', () => asked > 0);
    expect(asked).to.equal(1);
  });

  it('is answered before it is asked for once more, whatever happens meanwhile', async () => {
    const answers = [new Gate(), new Gate()];
    let asked = 0;
    let atOnce = 0;
    let mostAtOnce = 0;
    const refresh = gathered(async () => {
      const answer = answers[asked];
      asked += 1;
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      await answer?.pass();
      atOnce -= 1;
    }, 1);
    refresh();
    await answers[0]?.reached;
    let turns = 0;
    await until('many events have come', () => {
      refresh();
      turns += 1;
      return turns > 5;
    });
    expect(asked, 'the first answer is still awaited').to.equal(1);
    answers[0]?.open();
    await answers[1]?.reached;
    answers[1]?.open();
    expect([asked, mostAtOnce]).to.deep.equal([2, 1]);
  });

  it('is asked for again after it failed', async () => {
    let asked = 0;
    const refresh = gathered(() => {
      asked += 1;
      return Promise.reject(new Error('no answer'));
    }, 1);
    refresh();
    await until('it failed', () => asked === 1);
    refresh();
    await until('it is asked for again', () => asked === 2);
  });
});
