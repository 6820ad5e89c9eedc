import { z } from 'zod';
import { JobFailure } from './job-failure.ts';
import { storedText } from './stored-text.ts';
import type { JobToDo } from './work-replies.ts';

/** A docking as the engine takes it: files by their hash, and arguments that hold nothing but numbers and known words. */
export interface DockingRequest {
  readonly receptor: string;
  readonly ligand: string;
  readonly seed: number;
  readonly scoring: string;
  readonly arguments: readonly string[];
}

/** `--seed` is a C++ int. */
const MAX_SEED = 2 ** 31 - 1;
const MAX_COORDINATE = 10_000;
/** Å. The memory of the grid grows with the third power. */
const MAX_SIZE = 500;

const number = (min: number, max: number) => z.number().min(min).max(max);
const coordinate = number(-MAX_COORDINATE, MAX_COORDINATE);
const size = number(0, MAX_SIZE).gt(0);

const box = z.strictObject({
  center_x: coordinate,
  center_y: coordinate,
  center_z: coordinate,
  size_x: size,
  size_y: size,
  size_z: size,
});

const file = z
  .object({
    file: z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, 'must be "sha256:" and 64 hex digits: a file of this service'),
  })
  .transform((input) => input.file.slice('sha256:'.length));

/** Strict: an input that the engine would not see, such as flexible side chains, is no such docking. */
const inputs = z.strictObject({ receptor: file, ligand: file });

/** What a job may ask of the engine. Everything else, such as a path, is refused. */
const params = box.extend({
  exhaustiveness: z.int().min(1).max(128).optional(),
  num_modes: z.int().min(1).max(100).optional(),
  energy_range: number(0, 1000).optional(),
  min_rmsd: number(0, 100).optional(),
  spacing: number(0.1, 1).optional(),
  scoring: z.enum(['vina', 'vinardo']).optional(),
  seed: z.int().min(-MAX_SEED).max(MAX_SEED).optional(),
});

/**
 * Reads what a job asks for. Without a seed, or with 0, which is Vina's word for any, the seed comes from the job's input
 * signature: equal jobs get equal results, which the cache may answer with.
 *
 * @throws {JobFailure} `unsupported_input`, with each field that is wrong
 */
export const readDockingRequest = (job: JobToDo): DockingRequest => {
  const given = read(inputs, job.inputs, 'inputs');
  const { seed = 0, ...asked } = read(params, job.params, 'params');
  const used = seed === 0 ? seedFrom(job.input_signature) : seed;
  return {
    receptor: given.receptor,
    ligand: given.ligand,
    seed: used,
    scoring: asked.scoring ?? 'vina',
    // One word each: a negative number on its own would be an option.
    arguments: Object.entries({ ...asked, seed: used }).map(([name, value]) => `--${name}=${value}`),
  };
};

const read = <Schema extends z.ZodType>(schema: Schema, value: object, at: string): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${[at, ...path].join('.')}: ${message}`);
  throw new JobFailure({
    code: 'unsupported_input',
    message: storedText(issues.join('; '), MAX_MESSAGE_BYTES),
    retryable: false,
  });
};

const MAX_MESSAGE_BYTES = 1000;

const seedFrom = (signature: string): number =>
  (Number.parseInt(signature.slice(0, 8), 16) % MAX_SEED) + 1 || 1;
