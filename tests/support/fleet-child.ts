import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Deployment } from './deployment.ts';
import type { Releases } from './fleet.ts';
import { compiledModule } from './compiled-project.ts';
import { Gate } from './gate.ts';

/** Where attempts on databases stop for good: the nth of this process, and all that come after it. */
export interface FleetGate {
  readonly attempt: number;
  readonly moment: 'before' | 'after';
}

export interface FleetChildStart {
  readonly environment: Readonly<Record<string, string>>;
  /** Path of the folder, with a slash at its end. */
  readonly migrations: string;
  readonly argv: readonly string[];
  readonly gate: FleetGate | null;
}

export type FleetChildMessage =
  | { readonly event: 'line'; readonly text: string }
  | { readonly event: 'at gate' }
  | { readonly event: 'ended'; readonly exitCode: number };

/** `npx mad …` of a release, as a process of its own. */
export interface FleetChild {
  /** What it has printed so far. */
  readonly lines: readonly string[];
  readonly atGate: Promise<void>;
  /** Its exit code, or null when it was killed. */
  readonly ended: Promise<number | null>;
  /** SIGKILL; resolves when it is dead. Safe to call twice. */
  kill(): Promise<void>;
}

const MAIN = new URL('./fleet-child-main.ts', import.meta.url);

/** Call `kill` in any case. */
export const startFleetChild = async (
  deployment: Deployment,
  releases: Releases,
  argv: readonly string[],
  gate: FleetGate | null = null,
  settings: Readonly<Record<string, string>> = {},
): Promise<FleetChild> => {
  const child = spawn(process.execPath, [await compiledModule(MAIN)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const gateKeeper = new Gate();
  let exitCode: number | null = null;
  child.on('message', (message: FleetChildMessage) => {
    if (message.event === 'line') lines.push(...message.text.split('\n'));
    else if (message.event === 'at gate') gateKeeper.open();
    else exitCode = message.exitCode;
  });
  const start: FleetChildStart = {
    environment: { ...deployment.environment, ...settings },
    migrations: fileURLToPath(releases.release(releases.newest).directory),
    argv,
    gate,
  };
  child.send(start);
  return {
    lines,
    atGate: Promise.race([
      gateKeeper.opened,
      exited.then(() => Promise.reject(new Error(`the child never came to its gate:\n${lines.join('\n')}`))),
    ]),
    ended: exited.then(() => exitCode),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};
