import { expect } from 'chai';
import { inspectJson } from '../../../domain/json/inspect-json.ts';
import { printedLength } from '../../../domain/json/printed-length.ts';

const inspect = (text: string, maxIssues = 10) => inspectJson(text, maxIssues);

describe('inspectJson', () => {
  it('finds nothing in what PostgreSQL can keep', () => {
    const text = JSON.stringify({ a: [1, -0.5, 'x', null, true, { b: '🧪 \n "' }], '': {} });
    expect(inspect(text)).to.deep.equal({ values: 10, issues: [], duplicate: null, isExcessive: false });
  });

  it('counts every value once, wherever white space is', () => {
    expect(inspect(' [ true , false,null ,-1.5e3,"a", { "b" :\n0 } ] ').values).to.equal(8);
    expect(inspect('1').values).to.equal(1);
  });

  it('names the place of what it finds', () => {
    const text = String.raw`{"a":{"b c":[0,{"d":"\u0000"}]},"e\ud800":1,"f":9007199254740992}`;
    expect(inspect(text).issues.map(({ path }) => path)).to.deep.equal(['a.b c.1.d', 'body', 'f']);
  });

  it('knows names by what they mean, not by how they are written', () => {
    expect(inspect(String.raw`{"a":{"x":1,"\u0078":2}}`).duplicate).to.equal('a.x');
    expect(inspect(String.raw`{"\\u0078":1,"\u0078":2,"\"x":3}`).duplicate).to.equal(null);
  });

  it('stops at the limit of issues', () => {
    const text = JSON.stringify(Array.from({ length: 100 }, () => '\0'));
    expect(inspect(text, 3).issues).to.have.length(3);
  });

  it('stops where it is too deep or too long', () => {
    const deep = inspect('['.repeat(100));
    expect([deep.isExcessive, deep.values]).to.deep.equal([true, 66]);
    const long = inspect(`[${'1,'.repeat(60_000)}1]`);
    expect([long.isExcessive, long.values]).to.deep.equal([true, 50_001]);
  });

  it('takes one walk over the text, whatever is in it', () => {
    const backslashes = JSON.stringify(['\\'.repeat(200_000), '"'.repeat(200_000), '\n'.repeat(200_000)]);
    const unclosed = `["${String.raw`\"`.repeat(300_000)}`;
    // Quadratic work would take minutes.
    expect(inspect(backslashes).values).to.equal(4);
    expect(inspect(unclosed).values).to.equal(2);
  });
});

describe('printedLength', () => {
  for (const [value, printed] of [
    [0, '0'],
    [-1.5, '-1.5'],
    [1e20, '100000000000000000000'],
    [1e21, '1000000000000000000000'],
    [-1.25e22, '-12500000000000000000000'],
    [1e-7, '0.0000001'],
    [-1.5e-7, '-0.00000015'],
    [0.000001, '0.000001'],
  ] as const) {
    it(`of ${value} is that of ${printed}`, () => {
      expect(printedLength(value)).to.equal(printed.length);
    });
  }

  it('of the greatest and the smallest number is what PostgreSQL says', () => {
    expect(printedLength(1.7976931348623157e308)).to.equal(309);
    expect(printedLength(5e-324)).to.equal(326);
  });
});
