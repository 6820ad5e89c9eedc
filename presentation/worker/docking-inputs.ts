import { createHash } from 'node:crypto';
import { ApiError } from '../rest/api-error.ts';
import { JobFailure } from './job-failure.ts';
import type { OrganizationWork } from './organization-work.ts';
import { refusesWorker } from './retry.ts';
import { countAtoms } from './vina-output.ts';

export type Role = 'receptor' | 'ligand';

/** No structure that Vina docks is as large. */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/** Raised when bytes came that are not those which were asked for. They may come whole the next time. */
class DigestMismatchError extends Error {
  override readonly name = 'DigestMismatchError';
}

const MAX_MISMATCHES = 3;

/**
 * Fetches an input by its hash, and verifies it.
 *
 * @param retry repeats what fails in passing
 * @returns the text, with line feeds at the ends of its lines: Vina 1.2.3 writes NUL bytes after a carriage return
 * @throws {JobFailure} `input_unavailable`; `unsupported_input` when it is no PDBQT file
 */
export const fetchInput = async (
  { role, sha256 }: { readonly role: Role; readonly sha256: string },
  work: Pick<OrganizationWork, 'download'>,
  { signal, retry }: { readonly signal: AbortSignal; readonly retry: Retry },
): Promise<string> => {
  let mismatches = 0;
  const fetchOnce = async (): Promise<Buffer> => {
    const bytes = await collect(await work.download(sha256, signal), role);
    if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
    mismatches += 1;
    if (mismatches < MAX_MISMATCHES) throw new DigestMismatchError(`the ${role} came with other bytes`);
    return fail('input_unavailable', `the bytes of the ${role} are not those of its hash`, true);
  };
  // Latin-1 keeps every byte as it is.
  const text = (await orUnavailable(role, retry(fetchOnce))).toString('latin1').replaceAll(/\r\n?/g, '\n');
  const problem = problemOf(role, text);
  return problem === null ? text : fail('unsupported_input', problem, false);
};

export type Retry = <Value>(work: () => Promise<Value>) => Promise<Value>;

const collect = async (chunks: AsyncIterable<Uint8Array>, role: Role): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > MAX_INPUT_BYTES)
      fail('unsupported_input', `the ${role} is larger than ${MAX_INPUT_BYTES} bytes`, false);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
};

const orUnavailable = async (role: Role, bytes: Promise<Buffer>): Promise<Buffer> => {
  try {
    return await bytes;
  } catch (error) {
    if (!(error instanceof ApiError) || refusesWorker(error)) throw error;
    return fail(
      'input_unavailable',
      `the ${role} cannot be fetched: ${error.code ?? error.status}`,
      error.status !== 404,
    );
  }
};

/** Says what another program's file would be, which Vina would refuse with an error about a line of it. */
const problemOf = (role: Role, text: string): string | null => {
  if (text.includes('\0')) return `the ${role} holds NUL bytes: it is no PDBQT file`;
  if (countAtoms(text) === 0) return `the ${role} holds no ATOM line: it is no PDBQT file`;
  if (role === 'ligand' && !/^ROOT\s*$/m.test(text))
    return 'the ligand holds no ROOT line: it is no PDBQT file of a ligand';
  return null;
};

const fail = (
  code: 'input_unavailable' | 'unsupported_input',
  message: string,
  retryable: boolean,
): never => {
  throw new JobFailure({ code, message, retryable });
};
