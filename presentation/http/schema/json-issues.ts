import type { InputIssue } from '../../../domain/exceptions.ts';

const MAX_DEPTH = 64;
/** In a regular expression with the `u` flag a surrogate matches only when it stands alone. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * What JSON may say and PostgreSQL cannot keep (U+0000, lone surrogates), what JSON.parse makes of numbers too large
 * (Infinity), what would turn against later code (`__proto__`, nesting without end). At most `limit` issues.
 */
export const jsonIssues = (root: unknown, limit: number): readonly InputIssue[] => {
  const issues: InputIssue[] = [];

  const visit = (value: unknown, path: readonly string[]): void => {
    if (issues.length >= limit) return;
    const problem = problemOf(value, path.length);
    if (problem !== null) issues.push({ path: path.join('.') || 'body', message: problem });
    else if (typeof value === 'object' && value !== null) visitEntries(value, path);
  };

  const visitEntries = (container: object, path: readonly string[]): void => {
    for (const [key, child] of Object.entries(container)) {
      const problem = keyProblem(key);
      // The key itself cannot be shown: its container is named instead.
      if (problem !== null) issues.push({ path: path.join('.') || 'body', message: problem });
      else visit(child, [...path, key]);
      if (issues.length >= limit) return;
    }
  };

  visit(root, []);
  return issues;
};

const problemOf = (value: unknown, depth: number): string | null => {
  if (typeof value === 'string') return textProblem(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return 'must be a number that a double can hold';
  if (typeof value === 'object' && value !== null && depth > MAX_DEPTH) {
    return `must not be nested deeper than ${MAX_DEPTH} levels`;
  }
  return null;
};

const keyProblem = (key: string): string | null => {
  if (key === '__proto__') return 'must not have a field "__proto__"';
  return textProblem(key) === null ? null : 'must not have a field name with U+0000 or a lone surrogate';
};

const textProblem = (value: string): string | null => {
  if (value.includes('\0')) return 'must not hold the character U+0000';
  return LONE_SURROGATE.test(value) ? 'must not hold a lone surrogate' : null;
};
