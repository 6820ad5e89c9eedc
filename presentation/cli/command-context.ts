/** The exit codes of every command. The help shows this table. */
export const EXIT = {
  ok: 0,
  failed: 1,
  misused: 2,
  findingsLeft: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: 'the command did its work, and nothing is left to do',
  [EXIT.failed]: 'it failed, was interrupted, or was given a name that is not known',
  [EXIT.misused]: 'the command line is wrong; nothing was begun',
  [EXIT.findingsLeft]: 'it did its work, and found or left something that needs attention',
};

/** What every command gets. */
export interface CommandContext<Dependencies> {
  /** Opens what commands act on. An action calls it: a command line that is wrong, or asks for help, opens nothing. */
  readonly open: () => Promise<Dependencies>;
  /** Writes a line to standard output: with `--json`, one document and nothing else. */
  readonly print: (line: string) => void;
  /** Sets the exit code for the end of the command. Without a call it is `ok`. */
  readonly exitWith: (code: ExitCode) => void;
}

/** The end of a command's help. */
export const examples = (...lines: readonly string[]): string =>
  ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
