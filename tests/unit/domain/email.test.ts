import { expect } from 'chai';
import { canonicalEmail } from '../../../domain/identity/email.ts';

describe('The canonical form of an email', () => {
  for (const [what, one, other] of [
    ['case', 'Ada.Lovelace@Example.ORG', 'ada.lovelace@example.org'],
    ['case beyond ASCII', 'JÜRGEN@EXAMPLE.ORG', 'jürgen@example.org'],
    ['composition', 'ju\u0308rgen@example.org', 'jürgen@example.org'],
    ['compatibility', 'ａｄａ＠example.org', 'ada@example.org'],
    ['how its domain is written', 'ada@BÜCHER.example', 'ada@xn--bcher-kva.example'],
  ] as const) {
    it(`is the same however it differs in ${what}`, () => {
      expect(canonicalEmail(one)).to.equal(canonicalEmail(other));
    });
  }

  for (const [one, other] of [
    ['İ@example.org', 'i@example.org'],
    ['ı@example.org', 'i@example.org'],
    ['jürgen@example.org', 'jurgen@example.org'],
    ['ada+lab@example.org', 'ada@example.org'],
    ['a.da@example.org', 'ada@example.org'],
    ['ada@bücher.example', 'ada@bucher.example'],
    ['ada@bücher.example/@evil.example', 'ada@bücher.example'],
  ] as const) {
    it(`keeps ${one} and ${other} apart`, () => {
      expect(canonicalEmail(one)).not.to.equal(canonicalEmail(other));
    });
  }

  it('is its own canonical form, and exists for any text', () => {
    for (const text of [
      '',
      '@',
      'no address',
      'a@b@c',
      'İ@BÜCHER.example',
      "' or 1=1 --",
      'a@ü.1',
      '\ufb01@x',
    ]) {
      const form = canonicalEmail(text);
      expect(canonicalEmail(form), text).to.equal(form);
    }
  });
});
