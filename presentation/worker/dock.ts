import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError } from '../rest/api-error.ts';
import { fetchInput, type Retry } from './docking-inputs.ts';
import { readDockingRequest, type DockingRequest } from './docking-request.ts';
import { JobFailure } from './job-failure.ts';
import { judgeRun } from './judge-run.ts';
import type { Completion, OrganizationWork, WorkFile } from './organization-work.ts';
import { refusesWorker } from './retry.ts';
import { storedText } from './stored-text.ts';
import { toTaskResult } from './task-result.ts';
import { FILES, type VinaEngine, type VinaRun } from './vina-engine.ts';
import type { JobToDo, Lease } from './work-replies.ts';

export interface DockingTools {
  readonly engine: VinaEngine;
  readonly work: Pick<OrganizationWork, 'download' | 'upload'>;
  /** Where a folder for each job is made, and removed. */
  readonly temporaryFolder: string;
  readonly retry: Retry;
}

export interface Stages {
  /** Its abortion ends the engine. */
  readonly signal: AbortSignal;
  readonly fetching: () => void;
  readonly docking: (run: VinaRun) => void;
  /** The engine has ended, and no process of it is left. */
  readonly delivering: () => void;
}

const MAX_TAIL_BYTES = 16 * 1024;

/**
 * Does one job, from its inputs to what is said of it.
 *
 * @throws the signal's abortion, and what goes wrong on this machine: then nothing is said of the job
 */
export const dock = async (
  { job, lease }: { readonly job: JobToDo; readonly lease: Lease },
  tools: DockingTools,
  stages: Stages,
): Promise<Completion> => {
  const startedMs = performance.now();
  let log: WorkFile['bytes'] | null = null;
  let engineMs = 0;
  const said = (part: Omit<Completion, 'usage' | 'log_tail'>): Completion => ({
    ...part,
    usage: {
      wall_seconds: Math.round(performance.now() - startedMs) / 1000,
      // The engine keeps all its cores busy: that is how it was started.
      cpu_seconds: Math.round(engineMs * tools.engine.limits.cores) / 1000,
    },
    ...(log !== null && log.length > 0 && { log_tail: storedText(tailOf(log), MAX_TAIL_BYTES) }),
  });
  try {
    const request = readDockingRequest(job);
    const folder = await mkdtemp(join(tools.temporaryFolder, 'mad-worker-'));
    try {
      const ligand = await writeInputs(request, folder, tools, stages);
      const beganMs = performance.now();
      const run = await runEngine(request, folder, tools.engine, stages);
      engineMs = performance.now() - beganMs;
      log = run.process.log.bytes();
      const output = await readIfThere(join(folder, FILES.poses));
      const poses = judgeRun({
        ...(await run.process.ended),
        errors: run.process.errors.bytes().toString(),
        output: output?.toString() ?? null,
        attempt: lease.attempt,
      });
      stages.delivering();
      return said({
        outcome: 'COMPLETED',
        task_results: [toTaskResult(poses, { ...request, ligand, version: tools.engine.version })],
        artifacts: await uploadAll(filesOf(output, log), tools, stages.signal),
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    if (!(error instanceof JobFailure)) throw error;
    stages.delivering();
    const { code, message, retryable } = error;
    return said({ outcome: 'FAILED', error: { code, message, retryable }, task_results: [], artifacts: [] });
  }
};

const writeInputs = async (
  request: DockingRequest,
  folder: string,
  { work, retry }: DockingTools,
  { signal, fetching }: Stages,
): Promise<string> => {
  fetching();
  const [receptor = '', ligand = ''] = await Promise.all(
    (['receptor', 'ligand'] as const).map((role) =>
      fetchInput({ role, sha256: request[role] }, work, { signal, retry }),
    ),
  );
  await writeFile(join(folder, FILES.receptor), receptor, 'latin1');
  await writeFile(join(folder, FILES.ligand), ligand, 'latin1');
  return ligand;
};

const runEngine = async (
  request: DockingRequest,
  folder: string,
  engine: VinaEngine,
  { signal, docking }: Stages,
): Promise<VinaRun> => {
  signal.throwIfAborted();
  const run = engine.start(folder, request.arguments);
  docking(run);
  const stop = (): void => void run.process.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await run.process.ended;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  return run;
};

const readIfThere = async (path: string): Promise<Buffer<ArrayBuffer> | null> => {
  try {
    return await readFile(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
};

const filesOf = (
  output: WorkFile['bytes'] | null,
  log: WorkFile['bytes'],
): readonly (WorkFile & { readonly purpose: string })[] => [
  {
    name: 'poses.pdbqt',
    purpose: 'poses',
    mediaType: 'chemical/x-pdbqt',
    bytes: output ?? new Uint8Array(),
  },
  { name: 'vina.log', purpose: 'log', mediaType: 'text/plain', bytes: log },
];

const uploadAll = async (
  files: ReturnType<typeof filesOf>,
  { work, retry }: DockingTools,
  signal: AbortSignal,
): Promise<readonly object[]> => {
  const artifacts: object[] = [];
  for (const file of files.filter(({ bytes }) => bytes.length > 0)) {
    const uploaded = await orRefused(
      file.name,
      retry(() => work.upload(file, signal)),
    );
    artifacts.push({
      name: file.name,
      purpose: file.purpose,
      file: uploaded.file,
      content_type: file.mediaType,
    });
  }
  return artifacts;
};

const orRefused = async <Value>(name: string, upload: Promise<Value>): Promise<Value> => {
  try {
    return await upload;
  } catch (error) {
    if (!(error instanceof ApiError) || refusesWorker(error)) throw error;
    throw new JobFailure({
      code: 'outputs_refused',
      message: `the service does not take ${name}: ${error.code ?? error.status}`,
      retryable: false,
    });
  }
};

/** Somewhat more than is stored: characters that are not printable become shorter. */
const tailOf = (log: Buffer | Uint8Array): string =>
  Buffer.from(log.subarray(-2 * MAX_TAIL_BYTES)).toString();
