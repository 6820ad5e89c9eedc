import type { InputIssue } from '../../../../domain/validation-error.ts';

const MAX_DEPTH = 64;

/**
 * Finds what a parsed JSON value must not hold: text that PostgreSQL cannot store (U+0000, lone surrogates), numbers that
 * JSON.parse turned into Infinity, and what endangers later code (`__proto__`, deep nesting).
 *
 * @returns at most `limit` issues
 */
export const jsonIssues = (root: unknown, limit: number): readonly InputIssue[] => {
  const issues: InputIssue[] = [];
  visit(root, { path: [], issues, limit });
  return issues;
};

interface Visit {
  /** Of the value under inspection. */
  readonly path: string[];
  readonly issues: InputIssue[];
  readonly limit: number;
}

const visit = (value: unknown, at: Visit): void => {
  const problem = problemOf(value, at.path.length);
  if (problem !== null) report(problem, at);
  else if (typeof value === 'object' && value !== null) visitEntries(value, at);
};

const visitEntries = (container: object, at: Visit): void => {
  for (const [key, child] of Object.entries(container)) {
    if (at.issues.length >= at.limit) return;
    const problem = keyProblem(key);
    if (problem !== null) {
      // The key cannot be shown, so the issue names its container.
      report(problem, at);
      continue;
    }
    at.path.push(key);
    visit(child, at);
    at.path.pop();
  }
};

const report = (message: string, { path, issues }: Visit): void =>
  void issues.push({ path: path.join('.') || 'body', message });

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
  return value.isWellFormed() ? null : 'must not hold a lone surrogate';
};
