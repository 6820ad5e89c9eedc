import { expect } from 'chai';
import { mergePatch } from '../../../domain/organizations/merge-patch.ts';
import { policyFrom } from '../../../domain/organizations/organization-policy.ts';

describe('a merge patch', () => {
  const json = (text: string): Readonly<Record<string, unknown>> => {
    const value: Readonly<Record<string, unknown>> = JSON.parse(text);
    return value;
  };

  // The examples of RFC 7396, appendix A, whose target and patch are objects.
  for (const [target, patch, result] of [
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
    ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ] as const) {
    it(`makes ${result} of ${target} by ${patch}`, () => {
      const before = json(target);
      expect(mergePatch(before, json(patch))).to.deep.equal(json(result));
      expect(before).to.deep.equal(json(target));
    });
  }

  it('takes a member named __proto__ for a member', () => {
    const merged = mergePatch({}, json('{"__proto__":{"polluted":true}}'));
    expect(JSON.stringify(merged)).to.equal('{"__proto__":{"polluted":true}}');
    expect('polluted' in {}).to.equal(false);
    expect('polluted' in merged).to.equal(false);
  });
});

describe("an organization's policy", () => {
  it('is read off its settings', () => {
    const settings = {
      max_connections: 3,
      statement_timeout_ms: 1000,
      idle_in_transaction_timeout_ms: 2000,
      lock_timeout_ms: 500,
      theme: 'dark',
    };
    expect(policyFrom(settings)).to.deep.equal({
      maxConnections: 3,
      statementTimeoutMs: 1000,
      idleInTransactionTimeoutMs: 2000,
      lockTimeoutMs: 500,
    });
  });

  it('leaves out what is not set, or is no positive whole number', () => {
    expect(policyFrom({})).to.deep.equal({});
    const settings = { max_connections: '3', statement_timeout_ms: 0, lock_timeout_ms: 1.5, idle: null };
    expect(policyFrom(settings)).to.deep.equal({});
  });
});
