import { z } from 'zod';
import { ValidationError, type InputIssue } from '../../../../domain/validation-error.ts';
import type { HttpRequest } from '../http-locals.ts';

/** The parts of a request that a route reads. Undeclared fields are refused. The organization guard reads `org_id`. */
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

/** Enough to correct a request. A hostile body could cause tens of thousands of issues. */
export const MAX_ISSUES = 50;
const MAX_PATH_LENGTH = 200;

const nothing = z.strictObject({});

/** What the text of the body must not hold is found before: `inspectJson` says it. */
type ParseRequest<Parts extends RequestParts> = (
  req: HttpRequest,
  bodyIssues: readonly InputIssue[],
) => Input<Parts>;

/**
 * Makes a function that checks all parts of a request together and reports the issues of all of them. It throws
 * {ValidationError} with dotted field names that leave out the part, and `body` for the body itself.
 */
export const requestParser = <Parts extends RequestParts>(parts: Parts): ParseRequest<Parts> => {
  const schema = z.object({ query: nothing, ...parts });
  const readParts = partsReader(parts);
  return (req, bodyIssues) => {
    const input = readParts(req);
    const parsed = schema.safeParse(input);
    if (parsed.success && bodyIssues.length === 0) {
      // The schema consists of exactly these parts. The compiler cannot infer that through the generic type.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return parsed.data as Input<Parts>;
    }
    const issues = [
      ...(parsed.error?.issues.flatMap((issue) => toInputIssues(issue, input)) ?? []),
      ...bodyIssues,
    ];
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

/** Leaves out the first segment, the part of the request: field names are unique without it. */
const toInputIssues = (issue: z.core.$ZodIssue, input: unknown): readonly InputIssue[] => {
  const [part, ...segments] = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    // As many as a reader can use: a body may have tens of thousands.
    const unknown = issue.keys.slice(0, MAX_ISSUES);
    return unknown.map((key) => ({ path: [...segments, key].join('.'), message: 'is not a known field' }));
  }
  const isMissing = valueAt(input, issue.path) === undefined;
  return [
    {
      path: segments.length === 0 ? (part ?? '') : segments.join('.'),
      message: isMissing ? 'is required' : issue.message,
    },
  ];
};

const valueAt = (root: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    // Every segment but the last was found to be an object or a list.
    (value, segment) => (value as Readonly<Record<PropertyKey, unknown>> | undefined)?.[segment],
    root,
  );

/** A value of the wrong type fails its other checks as well. Its first issue is the most helpful. */
const firstOfEachPath = (issues: readonly InputIssue[]): readonly InputIssue[] => {
  const byPath = new Map<string, InputIssue>();
  for (const { path, message } of issues) {
    const shown = path.slice(0, MAX_PATH_LENGTH);
    if (!byPath.has(shown)) byPath.set(shown, { path: shown, message });
  }
  return [...byPath.values()];
};
