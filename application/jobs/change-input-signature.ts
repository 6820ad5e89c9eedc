import { SignatureNotFoundError } from '../../domain/jobs/errors.ts';
import type { InputSignature } from '../../domain/jobs/input-signature.ts';
import { noteOf, type Actor } from '../actor.ts';
import type { ResultsDatabase } from '../ports/databases/results-database.ts';

/** Keeps a signature's canonical job, whatever completes later. @throws {SignatureNotFoundError} when absent or expired */
export const pinSignature = (
  database: ResultsDatabase,
  actor: Actor,
  signature: string,
): Promise<InputSignature> =>
  existing(database.inputSignatures.pin(signature, noteOf(actor, 'input_signature.pinned', {})));

/** Lets a later job become the canonical one again. @throws {SignatureNotFoundError} when absent or expired */
export const unpinSignature = (
  database: ResultsDatabase,
  actor: Actor,
  signature: string,
): Promise<InputSignature> =>
  existing(database.inputSignatures.unpin(signature, noteOf(actor, 'input_signature.unpinned', {})));

/**
 * Lets a signature answer for no more jobs, until another job completes with it. Jobs that it answered for keep their results.
 *
 * @throws {SignatureNotFoundError} when absent or expired
 */
export const invalidateSignature = async (
  { inputSignatures }: ResultsDatabase,
  actor: Actor,
  signature: string,
): Promise<void> => {
  await existing(inputSignatures.invalidate(signature, noteOf(actor, 'input_signature.invalidated', {})));
};

const existing = async (found: Promise<InputSignature | null>): Promise<InputSignature> => {
  const entry = await found;
  if (entry === null) throw new SignatureNotFoundError();
  return entry;
};
