import { expect } from 'chai';
import { Argon2Passwords } from '../../../adapters/argon2/argon2-passwords.ts';

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
