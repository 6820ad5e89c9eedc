/** What every variable has: one sentence on its meaning, without a full stop, and its place in the lists. */
interface Described {
  readonly section: Section;
  readonly means: string;
  /** Shown in `.env.example` where no default can be. */
  readonly example?: string;
}

interface IntegerVariable extends Described {
  readonly kind: 'integer';
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

interface BooleanVariable extends Described {
  readonly kind: 'boolean';
  readonly fallback: boolean;
}

interface ChoiceVariable extends Described {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly fallback: string;
}

interface TextVariable extends Described {
  /** Messages show only the length of a secret. */
  readonly kind: 'text' | 'secret' | 'url';
  readonly fallback: string | null;
  readonly takes: string;
}

export type Variable = IntegerVariable | BooleanVariable | ChoiceVariable | TextVariable;

/** In the order of the lists. */
export const SECTIONS = {
  databases: 'Databases and their servers',
  connections: 'Connections',
  deadlines: 'Deadlines, in milliseconds',
  organizations: "Organizations' databases",
  process: 'The process',
  files: 'Files',
  costs: 'What callers may cost',
  tokens: 'Tokens',
  logins: 'Logins',
  tracing: 'Tracing: `docs/tracing.md`',
  worker: 'The worker (`npm run worker`)',
  tests: 'Tests',
} as const;

type Section = keyof typeof SECTIONS;

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export const MODES = ['development', 'production', 'test'] as const;

const MAX_CONNECTIONS = 10_000;
export const MILLION = 1_000_000;
/** The longest timeout of PostgreSQL and of Node's timers. */
const MAX_MILLISECONDS = 2_147_483_647;
const SECRET_TAKES = 'at least 32 characters';

/** @param means one sentence, as for all of these */
export const number = (
  section: Section,
  fallback: number,
  { min, max = MAX_CONNECTIONS }: { readonly min: number; readonly max?: number },
  means: string,
) => ({ kind: 'integer', section, fallback, min, max, means }) as const;

export const milliseconds = (fallback: number, means: string, section: Section = 'deadlines') =>
  number(section, fallback, { min: 1, max: MAX_MILLISECONDS }, means);

export const flag = (section: Section, fallback: boolean, means: string) =>
  ({ kind: 'boolean', section, fallback, means }) as const;

export const text = <Fallback extends string | null>(
  section: Section,
  fallback: Fallback,
  takes: string,
  means: string,
) => ({ kind: 'text', section, fallback, takes, means }) as const;

export const secret = (section: Section, means: string, takes = SECRET_TAKES) =>
  ({ kind: 'secret', section, fallback: null, takes, means }) as const;

export const url = (takes: string, example: string, means: string) =>
  ({ kind: 'url', section: 'databases', fallback: null, takes, example, means }) as const;

/** What a variable takes, in words. */
export const takenBy = (variable: Variable): string => {
  switch (variable.kind) {
    case 'integer':
      return `a whole number from ${variable.min} to ${variable.max}`;
    case 'boolean':
      return 'true or false (1 or 0)';
    case 'choice':
      return `one of ${variable.choices.join(', ')}`;
    case 'text':
    case 'secret':
    case 'url':
      return variable.takes;
  }
};
