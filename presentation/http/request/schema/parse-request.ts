import { z } from 'zod';
import { ValidationError, type InputIssue } from '../../../../domain/validation-error.ts';
import type { HttpRequest } from '../http-locals.ts';
import { jsonIssues } from './json-issues.ts';

/** The parts of a request that a route reads. What is not declared is refused; `org_id` is the guard's. */
export interface RequestParts {
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** Keys are header names as documented. */
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodObject;
}

export type Input<Parts extends RequestParts> = {
  readonly [Part in keyof Parts]: Parts[Part] extends z.ZodType ? z.output<Parts[Part]> : never;
};

/** Enough to mend a request by; a hostile body could hold a hundred thousand. */
const MAX_ISSUES = 50;
const MAX_PATH_LENGTH = 200;

const nothing = z.strictObject({});

/**
 * Makes the check of all parts of a request together.
 *
 * @throws {ValidationError} with plain dotted field names, whichever part they stand in; `body` for the body itself
 */
export const requestParser = <Parts extends RequestParts>(
  parts: Parts,
): ((req: HttpRequest) => Input<Parts>) => {
  const schema = z.object({ query: nothing, ...parts });
  const readParts = partsReader(parts);
  return (req) => {
    const bodyIssues = parts.body === undefined ? [] : jsonIssues(req.body, MAX_ISSUES);
    const input = readParts(req);
    const parsed = schema.safeParse(input);
    if (parsed.success && bodyIssues.length === 0) {
      // The schema was made of exactly these parts, which the compiler cannot follow through the generic.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return parsed.data as Input<Parts>;
    }
    // Again, for the messages: with them every check takes the slow way.
    const { error } = schema.safeParse(input, { error: messageOf });
    const issues = [...(error?.issues.flatMap(toInputIssues) ?? []), ...bodyIssues];
    throw new ValidationError(firstOfEachPath(issues).slice(0, MAX_ISSUES));
  };
};

const partsReader = ({ headers }: RequestParts) => {
  const names = Object.keys(headers?.shape ?? {});
  return (req: HttpRequest): Record<keyof RequestParts, unknown> => {
    const named: Record<string, string | undefined> = {};
    for (const name of names) named[name] = req.get(name);
    return { params: req.params, query: req.query, headers: named, body: req.body };
  };
};

const messageOf: z.core.$ZodErrorMap = (issue) =>
  issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : undefined;

/** The first segment says which part of the request it was; field names are unique without it. */
const toInputIssues = (issue: z.core.$ZodIssue): readonly InputIssue[] => {
  const [part, ...segments] = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...segments, key].join('.'), message: 'is not a known field' }));
  }
  return [{ path: segments.length === 0 ? (part ?? '') : segments.join('.'), message: issue.message }];
};

/** A value of the wrong type fails its other checks as well: the first says it best. */
const firstOfEachPath = (issues: readonly InputIssue[]): readonly InputIssue[] => {
  const byPath = new Map<string, InputIssue>();
  for (const { path, message } of issues) {
    const shown = path.slice(0, MAX_PATH_LENGTH);
    if (!byPath.has(shown)) byPath.set(shown, { path: shown, message });
  }
  return [...byPath.values()];
};
