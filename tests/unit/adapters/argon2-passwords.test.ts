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
    // Processor time, the hashing threads' included: what else the machine does is not in it.
    const workFor = async (passwordHash: string | null): Promise<number> => {
      const before = process.cpuUsage();
      for (let round = 0; round < 5; round += 1)
        expect(await passwords.verify('wrong', passwordHash)).to.equal(false);
      return process.cpuUsage(before).user;
    };
    await workFor(hash);
    expect((await workFor(null)) / (await workFor(hash))).to.be.within(0.5, 2);
  });
});
