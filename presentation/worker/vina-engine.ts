import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { EngineProcess } from './engine-process.ts';
import { pause, type Pause } from './retry.ts';

/** Raised when the docking engine cannot be run on this machine. */
export class MissingEngineError extends Error {
  override readonly name = 'MissingEngineError';
}

export interface VinaSettings {
  /** The program's path, or its name on `searchPath`. */
  readonly program: string;
  /** The `PATH` of the engine. */
  readonly searchPath: string;
  readonly cores: number;
  /** Of the address space of one run. */
  readonly memoryBytes: number;
  readonly wait?: Pause;
}

/** Names of the worker's own, in a folder of the worker's own: no name that a user chose becomes a path. */
export const FILES = { receptor: 'receptor.pdbqt', ligand: 'ligand.pdbqt', poses: 'out.pdbqt' } as const;

/** Vina's bar has so many marks. */
const MARKS = 51;
const MARK = '*'.charCodeAt(0);

export interface VinaRun {
  readonly process: EngineProcess;
  /** From 0 to 1. */
  readonly progress: () => number;
}

/** AutoDock Vina on this machine. */
export class VinaEngine {
  /** What the program calls itself, such as `AutoDock Vina v1.2.3`. */
  readonly version: string;
  readonly #settings: VinaSettings;
  readonly #wrappers: readonly string[];

  private constructor(settings: VinaSettings, version: string, wrappers: readonly string[]) {
    this.#settings = settings;
    this.version = version;
    this.#wrappers = wrappers;
  }

  /** @throws {MissingEngineError} when the program is not there, or is no Vina */
  static async find(settings: VinaSettings): Promise<VinaEngine> {
    const { program, searchPath, memoryBytes } = settings;
    const said = await outputOf([program, '--version'], searchPath);
    if (said === null || !/\bvina\b/i.test(said)) throw new MissingEngineError(missing(program, said));
    const wrappers = [
      // Without a worker, nobody would want the result.
      ['setpriv', '--pdeathsig', 'KILL'],
      ['prlimit', `--as=${memoryBytes}`],
    ];
    const found = await Promise.all(
      wrappers.map(async (wrapper) =>
        (await outputOf([...wrapper, program, '--version'], searchPath)) === null ? [] : wrapper,
      ),
    );
    return new VinaEngine(settings, said.split('\n')[0]?.trim() ?? '', found.flat());
  }

  /** What holds of one run on this machine. */
  get limits(): { readonly cores: number; readonly memoryMb: number | null } {
    const isLimited = this.#wrappers.includes('prlimit');
    const { cores, memoryBytes } = this.#settings;
    return { cores, memoryMb: isLimited ? Math.floor(memoryBytes / 1024 ** 2) : null };
  }

  /** @param args as `readDockingRequest` makes them */
  start(folder: string, args: readonly string[]): VinaRun {
    const { program, searchPath, cores, wait = pause } = this.#settings;
    const [first = program, ...rest] = [
      ...this.#wrappers,
      program,
      `--receptor=${FILES.receptor}`,
      `--ligand=${FILES.ligand}`,
      `--out=${FILES.poses}`,
      `--cpu=${cores}`,
      '--verbosity=1',
      ...args,
    ];
    let marks = 0;
    const process = new EngineProcess(
      {
        program: first,
        arguments: rest,
        folder,
        // With another locale, numbers would have a decimal comma.
        environment: { PATH: searchPath, LC_ALL: 'C', TMPDIR: folder },
      },
      {
        wait,
        onOutput: (chunk) => {
          for (const byte of chunk) if (byte === MARK) marks += 1;
        },
      },
    );
    return { process, progress: () => Math.min(marks / MARKS, 1) };
  }
}

const missing = (program: string, said: string | null): string =>
  said === null
    ? `${program} cannot be run: this worker docks with AutoDock Vina, which is not on this machine. ` +
      'Install it (Debian, Ubuntu: "apt-get install autodock-vina"), or say in WORKER_VINA where it is.'
    : `${program} is no AutoDock Vina: asked for its version it says ${JSON.stringify(said.slice(0, 100))}.`;

/** Null: the program is not there, or fails. */
const outputOf = async (
  [program = '', ...args]: readonly string[],
  searchPath: string,
): Promise<string | null> => {
  const child = spawn(program, args, {
    env: { PATH: searchPath, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: VERSION_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  try {
    const [[exitCode], said] = await Promise.all([once(child, 'close'), text(child.stdout)]);
    return exitCode === 0 ? said : null;
  } catch {
    return null;
  }
};

const VERSION_TIMEOUT_MS = 20_000;
