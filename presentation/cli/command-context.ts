import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** The exit codes of the command line. */
export const EXIT = {
  ok: 0,
  /** The command failed or was interrupted. */
  failed: 1,
  misused: 2,
  /** The command did its work, and found or left something that needs attention. */
  findingsLeft: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What every command gets, beside its own dependencies. */
export interface CommandContext<Dependencies> {
  readonly deps: Dependencies;
  readonly print: (line: string) => void;
  /** @throws {ValidationError} */
  readonly parseId: (text: string) => OrganizationId;
  /** Sets the exit code for the end of the command. Without a call it is `ok`. */
  readonly exitWith: (code: ExitCode) => void;
}
