import { expect } from 'chai';
import { nameBehind } from '../../../infrastructure/database/connection-names.ts';

describe('the name of a connection', () => {
  it('is the service’s own, behind what the database URL calls the program', () => {
    expect(nameBehind(undefined, 'mad admin')).to.equal('mad admin');
    expect(nameBehind('', 'mad admin')).to.equal('mad admin');
    expect(nameBehind('billing', 'mad admin')).to.equal('billing: mad admin');
  });

  it('is whole where the server would cut it, in characters as well', () => {
    const name = nameBehind('ä'.repeat(40), 'mad results 0123456789abcdef');
    expect(Buffer.byteLength(name)).to.be.within(62, 63);
    expect(name).to.match(/^ä+: mad results 0123456789abcdef$/);
  });
});
