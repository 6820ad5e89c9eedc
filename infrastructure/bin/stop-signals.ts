/** A terminal sends its Ctrl-C to npm and to us, and npm passes its own on. */
const ECHO_MS = 500;

/**
 * Calls `stop` at the first signal that asks the process to end. At a second one, of somebody who does not want to wait,
 * calls `leave`. The last signal is that of a terminal which is closed.
 */
export const onStopSignals = ({
  stop,
  leave,
}: {
  readonly stop: (signal: NodeJS.Signals) => void;
  readonly leave: (signal: NodeJS.Signals) => void;
}): void => {
  let asked: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  const hear = (signal: NodeJS.Signals): void => {
    if (asked === null) {
      asked = { signal, at: performance.now() };
      stop(signal);
    } else if (signal !== asked.signal || performance.now() - asked.at >= ECHO_MS) leave(signal);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, hear);
};
