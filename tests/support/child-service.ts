import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ChildCommand, ChildGate, ChildMessage, ChildRequest, ChildStart } from './child-protocol.ts';
import { compiledModule } from './compiled-project.ts';
import { Gate } from './gate.ts';

/** What a command failed with in the child. */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure';
  /** A domain error's code, else the name of the error. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The service as a process of its own, which can be stopped at a provisioning step and killed there. */
export interface ChildService {
  readonly pid: number;
  /** Runs a command there; rejects with {ChildFailure}, also when the process dies. Several may be under way. */
  call(command: ChildCommand): Promise<unknown>;
  /** Resolves when the child stands at its gate. */
  readonly atGate: Promise<void>;
  /** SIGKILL; resolves when it is dead. Safe to call twice. */
  kill(): Promise<void>;
  /** Closes its pools and lets it end by itself; fails when it does not, or does with an error. Safe after `kill`. */
  stop(): Promise<void>;
}

const MAIN = new URL('./child-service-main.ts', import.meta.url);
const STOP_DEADLINE_MS = 10_000;

/**
 * Starts a child and waits until it obeys. Call `stop` or `kill` in any case; it ends by itself with this process.
 *
 * @param environment as for a deployment's containers
 * @param gate where it stops, the first time it comes by
 * @param audit makes it relay audit entries
 */
export const startChildService = async (
  environment: Readonly<Record<string, string>>,
  gate: ChildGate | null = null,
  audit: ChildStart['audit'] = null,
): Promise<ChildService> => {
  const child = spawn(process.execPath, [await compiledModule(MAIN)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const gateKeeper = new Gate();
  const started = new Gate();
  const pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  child.on('message', (message: ChildMessage) => {
    if (message.event === 'started') return started.open();
    if (message.event === 'at gate') return gateKeeper.open();
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (message.event === 'answer') waiting?.resolve(message.result);
    else waiting?.reject(new ChildFailure(message.code, message.message));
    return undefined;
  });
  void exited.then(() => {
    for (const { reject } of pending.values()) reject(new ChildFailure('exited', 'the child is gone'));
    pending.clear();
  });

  const start: ChildStart = { environment, gate, audit };
  child.send(start);
  await Promise.race([
    started.opened,
    exited.then(() => Promise.reject(new Error('the child did not start'))),
  ]);

  let lastId = 0;
  return {
    // A process that was spawned, as the message above proves, has one.
    pid: child.pid as number,
    call: (command) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(new ChildFailure('exited', 'the child is gone'));
        const request: ChildRequest = { id: (lastId += 1), command };
        pending.set(request.id, { resolve, reject });
        child.send(request);
        return undefined;
      }),
    atGate: gateKeeper.opened,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: () => stop(child, exited),
  };
};

const stop = async (child: ChildProcess, exited: Promise<unknown[]>): Promise<void> => {
  const wasKilled = child.killed;
  if (child.connected) child.disconnect();
  const overrun = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
  const [code, signal] = await exited;
  clearTimeout(overrun);
  if (!wasKilled && code !== 0) throw new Error(`the child ended with ${String(code ?? signal)}`);
};
