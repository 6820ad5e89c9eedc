import type { OrganizationId } from '../../domain/organizations/organization-id.ts';

/** What a command line ends with. */
export const EXIT = {
  ok: 0,
  /** It could not be done, or was left before its end. */
  failed: 1,
  misused: 2,
  /** It was done, and something is not as it should be. */
  findingsLeft: 3,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What every command is given, beside what it acts on. */
export interface CommandContext<Dependencies> {
  readonly deps: Dependencies;
  readonly print: (line: string) => void;
  /** @throws {ValidationError} */
  readonly parseId: (text: string) => OrganizationId;
  /** Says what to end with when all is done; otherwise it is `ok`. */
  readonly exitWith: (code: ExitCode) => void;
}
