import { expect } from 'chai';
import { nameBehind } from '../../../infrastructure/postgres/connection-names.ts';

describe('the name of a connection', () => {
  it('is the service’s own, behind what the database URL calls the program', () => {
    expect(nameBehind(undefined, 'mad admin')).to.equal('mad admin');
    expect(nameBehind('', 'mad admin')).to.equal('mad admin');
    expect(nameBehind('billing', 'mad admin')).to.equal('billing: mad admin');
  });

  it('is whole where the server would cut it, or write it out', () => {
    const own = 'mad results 0123456789abcdef';
    expect(nameBehind('x'.repeat(99), own))
      .to.match(new RegExp(`^x+: ${own}$`))
      .and.have.length(63);
    expect(nameBehind('Größe\n', own)).to.equal(`Gr??e?: ${own}`);
  });
});
