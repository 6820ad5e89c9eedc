import { expect } from 'chai';
import { applicationNameOf } from '../../../infrastructure/postgres/connection-names.ts';

describe('the name of a connection', () => {
  it('is the service’s own, behind what the database URL calls the program', () => {
    expect(applicationNameOf(undefined, 'mad admin')).to.equal('mad admin');
    expect(applicationNameOf('', 'mad admin')).to.equal('mad admin');
    expect(applicationNameOf('billing', 'mad admin')).to.equal('billing: mad admin');
  });

  it('is whole where the server would cut it, or write it out', () => {
    const own = 'mad results 0123456789abcdef';
    expect(applicationNameOf('x'.repeat(99), own))
      .to.match(new RegExp(`^x+: ${own}$`))
      .and.have.length(63);
    expect(applicationNameOf('Größe\n', own)).to.equal(`Gr??e?: ${own}`);
  });
});
