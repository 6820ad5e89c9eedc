import { expect } from 'chai';
import { ERROR_CLASSES, ERROR_FILES, filesWithErrors } from './error-classes.ts';

describe('The errors of the domain', () => {
  it('stand in the errors.ts of their noun, in exceptions.ts or in validation-error.ts', () => {
    expect(filesWithErrors()).to.deep.equal(ERROR_FILES);
    for (const file of ERROR_FILES)
      expect(file).to.match(/^(?:[a-z]+\/errors|exceptions|validation-error)\.ts$/);
  });

  for (const { name, comment } of ERROR_CLASSES) {
    it(`say in a sentence when they are raised: ${name}`, () => {
      expect(comment).to.match(/^Raised when [^]+\.$/);
      expect(name).to.match(/^[A-Z]\w+Error$/);
    });
  }
});
