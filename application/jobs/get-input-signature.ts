import { SignatureNotFoundError } from '../../domain/jobs/errors.ts';
import type { InputSignature } from '../../domain/jobs/input-signature.ts';
import type { ResultsRepositories } from '../ports/databases/results-database.ts';

/** Looks without counting a use. @throws {SignatureNotFoundError} when absent or expired */
export const getInputSignature = async (
  { inputSignatures }: ResultsRepositories,
  signature: string,
): Promise<InputSignature> => {
  const entry = await inputSignatures.find(signature);
  if (entry === null) throw new SignatureNotFoundError();
  return entry;
};
