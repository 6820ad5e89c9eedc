import { expect } from 'chai';
import { csvCell } from '../../../presentation/http/request/csv-cell.ts';

describe('A cell of a table', () => {
  for (const [text, cell] of [
    ['imatinib', 'imatinib'],
    ['a "b", c', '"a ""b"", c"'],
    ['=1+1', "'=1+1"],
    ['-7.5', '-7.5'],
    ['x;y', 'x;y'],
    ['x;-7.5', 'x;-7.5'],
    // A spreadsheet of a country where numbers have a comma.
    ['x;=WEBSERVICE(B1);y', "x;'=WEBSERVICE(B1);y"],
    ['=1;@SUM(A1)', "'=1;'@SUM(A1)"],
  ] as const)
    it(`is ${cell} for ${text}: no spreadsheet computes it`, () => {
      expect(csvCell(text)).to.equal(cell);
    });
});
