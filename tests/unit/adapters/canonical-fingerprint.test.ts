import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { canonicalFingerprint } from '../../../adapters/canonicalize/canonical-fingerprint.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('canonicalFingerprint', () => {
  it('follows the sample of RFC 8785, 3.2.2 to 3.2.4', () => {
    const sample: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    const canonical = Buffer.from(
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c' +
        '31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d',
      'hex',
    ).toString();

    expect(canonicalFingerprint(sample)).to.equal(sha256(canonical));
  });

  it('sorts keys by UTF-16 code units, as RFC 8785, 3.2.3', () => {
    const sample: unknown = JSON.parse(
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",` +
        String.raw`"\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    );
    const canonical =
      String.raw`{"\r":"Carriage Return","1":"One",` +
      '"\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face",' +
      '"\ufb33":"Hebrew Letter Dalet With Dagesh"}';

    expect(canonicalFingerprint(sample)).to.equal(sha256(canonical));
  });

  it('writes numbers as RFC 8785, appendix B', () => {
    const numbers: [number, string][] = [
      [-0, '0'],
      [5e-324, '5e-324'],
      [-5e-324, '-5e-324'],
      [1.7976931348623157e308, '1.7976931348623157e+308'],
      [9007199254740992, '9007199254740992'],
      [295147905179352830000, '295147905179352830000'],
      [9.999999999999997e22, '9.999999999999997e+22'],
      [1e23, '1e+23'],
      [999999999999999700000, '999999999999999700000'],
      [1e21, '1e+21'],
      [9.999999999999997e-7, '9.999999999999997e-7'],
      [0.000001, '0.000001'],
      [333333333.3333332, '333333333.3333332'],
    ];
    for (const [number, text] of numbers) expect(canonicalFingerprint(number), text).to.equal(sha256(text));
  });

  it('is the same whatever the order of keys, and another for another value', () => {
    const one = canonicalFingerprint({ engine: 'vina', inputs: { a: 1, b: [1, 2] } });

    expect(canonicalFingerprint({ inputs: { b: [1, 2], a: 1 }, engine: 'vina' })).to.equal(one);
    expect(canonicalFingerprint({ inputs: { b: [2, 1], a: 1 }, engine: 'vina' })).to.not.equal(one);
    expect(one).to.match(/^[0-9a-f]{64}$/);
  });

  it('refuses what JSON cannot say', () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => canonicalFingerprint(value)).to.throw(Error);
    }
  });
});
