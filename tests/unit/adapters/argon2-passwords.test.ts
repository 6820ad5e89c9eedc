import { expect } from 'chai';
import { Argon2Passwords } from '../../../adapters/argon2/argon2-passwords.ts';
import { BoundedWork } from '../../../adapters/argon2/bounded-work.ts';
import { ServiceBusyError } from '../../../domain/exceptions.ts';
import { Gate, rejectionOf, until } from '../../support/gate.ts';

describe('Argon2Passwords', () => {
  const passwords = new Argon2Passwords();

  it('knows a password by its hash', async () => {
    const hash = await passwords.hash('correct horse');

    expect(hash).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.verify('correct horse', hash)).to.equal(true);
    expect(await passwords.verify('correct horsf', hash)).to.equal(false);
    expect(await passwords.hash('correct horse')).to.not.equal(hash);
  });

  it('takes a corrupt hash for nobody’s', async () => {
    for (const hash of ['', 'x', '$argon2id$v=19$m=19456,t=2,p=1$', '$2b$10$abcdefghijklmnopqrstuv']) {
      expect(await passwords.verify('x', hash)).to.equal(false);
    }
  });

  it('takes as long for an unknown user as for a wrong password', async () => {
    const hash = await passwords.hash('correct horse');
    // Processor time, the hashing threads' included: what else the machine does is not in it. The kernel guesses how much
    // of it was the program's own, so only the sum tells.
    const workFor = async (passwordHash: string | null): Promise<number> => {
      const before = process.cpuUsage();
      expect(await passwords.verify('wrong', passwordHash)).to.equal(false);
      const { user, system } = process.cpuUsage(before);
      return user + system;
    };
    await workFor(hash);
    // The least of several, in turns: the process may collect garbage or compile beside it.
    const [unknown, wrong]: [number[], number[]] = [[], []];
    for (let round = 0; round < 8; round += 1) {
      unknown.push(await workFor(null));
      wrong.push(await workFor(hash));
    }
    expect(Math.min(...unknown) / Math.min(...wrong)).to.be.within(0.5, 2);
  });
});

describe('BoundedWork', () => {
  const gates = (count: number) => Array.from({ length: count }, () => new Gate());

  it('does so much at once, and the rest in the order in which it came', async () => {
    const work = new BoundedWork({ maxConcurrent: 2, maxWaiting: 10, deadlineMs: 60_000 });
    const begun: number[] = [];
    const tasks = gates(5);
    const results = tasks.map((gate, index) =>
      work.run(async () => {
        begun.push(index);
        await gate.opened;
        if (index === 0) throw new Error('it failed');
        return index;
      }),
    );
    const settled = Promise.allSettled(results);
    for (const [index, gate] of tasks.entries()) {
      await until('the next one begins', () => begun.length === Math.min(index + 2, 5));
      gate.open();
    }
    expect(begun).to.deep.equal([0, 1, 2, 3, 4]);
    expect((await settled).map(({ status }) => status)).to.deep.equal([
      'rejected',
      ...Array(4).fill('fulfilled'),
    ]);
  });

  it('refuses what would wait behind too many, and does it afterwards', async () => {
    const work = new BoundedWork({ maxConcurrent: 1, maxWaiting: 1, deadlineMs: 60_000 });
    const gate = new Gate();
    const pending = [work.run(() => gate.opened), work.run(() => gate.opened)];
    expect(await rejectionOf(work.run(() => gate.opened))).to.be.instanceOf(ServiceBusyError);
    gate.open();
    await Promise.all(pending);
    expect(await work.run(async () => 'done')).to.equal('done');
  });

  it('refuses what has waited for too long, and never begins it', async () => {
    const work = new BoundedWork({ maxConcurrent: 1, maxWaiting: 9, deadlineMs: 1 });
    const gate = new Gate();
    const first = work.run(() => gate.opened);
    let begun = false;
    const second = work.run(async () => {
      begun = true;
    });
    // Its timer does not keep the process alive.
    const alive = setInterval(() => undefined, 5);
    expect(await rejectionOf(second)).to.be.instanceOf(ServiceBusyError);
    clearInterval(alive);
    gate.open();
    await first;
    expect(begun).to.equal(false);
  });
});
