import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { scramVerifier } from '../../../infrastructure/postgres/scram-verifier.ts';

describe('The verifier that the server is given for a password', () => {
  /** The exchange of RFC 7677, section 3. */
  const RFC = {
    password: 'pencil',
    salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
    iterations: 4096,
    messages:
      'n=user,r=rOprNGfwEbeRWgbNEkqO,' +
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,' +
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    clientProof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverSignature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  };
  const FORM = /^SCRAM-SHA-256\$(\d+):([\w+/=]+)\$([\w+/=]+):([\w+/=]+)$/;
  const hmac = (key: Buffer): Buffer => createHmac('sha256', key).update(RFC.messages).digest();

  it('has the keys of the exchange that the standard shows', () => {
    const verifier = scramVerifier(RFC.password, RFC);
    const [, iterations, salt, storedKey = '', serverKey = ''] = FORM.exec(verifier) ?? [];

    expect([iterations, salt]).to.deep.equal(['4096', RFC.salt.toString('base64')]);
    expect(hmac(Buffer.from(serverKey, 'base64')).toString('base64')).to.equal(RFC.serverSignature);
    const signature = hmac(Buffer.from(storedKey, 'base64'));
    const clientKey = Buffer.from(RFC.clientProof, 'base64').map(
      (byte, index) => byte ^ (signature[index] ?? 0),
    );
    expect(createHash('sha256').update(clientKey).digest('base64')).to.equal(storedKey);
  });

  it('has another salt each time', () => {
    expect(scramVerifier('x')).to.match(FORM).and.not.equal(scramVerifier('x'));
  });
});
