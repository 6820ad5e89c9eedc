import type { JsonObject } from '../jobs/docking-job.ts';
import { PRINTABLE } from '../printable.ts';
import type { InputIssue } from '../validation-error.ts';
import { FILE_NAME_PATTERN, FILE_PREFIX, MAX_FILE_NAME_LENGTH } from './stored-file.ts';

/** Where in a job's inputs a file is named: `{"file": "sha256:…", "name": "1iep.pdbqt"}`. */
export interface FileReference {
  /** The members that lead to it, with dots between them: `receptor`, `ligands.3`. */
  readonly role: string;
  readonly sha256: string;
  readonly name: string | null;
}

export interface FileReferences {
  readonly references: readonly FileReference[];
  /** What is wrong with them, with paths such as `inputs.receptor.file`. */
  readonly issues: readonly InputIssue[];
  /** The inputs without the names of files: what decides the result. The same object when no file is named. */
  readonly nameless: JsonObject;
}

const MAX_REFERENCES = 100;
const MAX_ROLE_LENGTH = 200;

/**
 * Finds the files that inputs refer to, wherever they stand in them. An object refers to a file when its `file` is a text
 * that begins with `sha256:`; all else is left as it is. Decision 0046.
 */
export const fileReferencesOf = (inputs: JsonObject): FileReferences => {
  // Most inputs that are large refer to none.
  if (!refersToFiles(inputs)) return { references: [], issues: [], nameless: inputs };
  const references: FileReference[] = [];
  const issues: InputIssue[] = [];
  const walk = (value: unknown, role: string): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (isReference(value)) {
      issues.push(...issuesOf(value, role));
      references.push({ role, sha256: value.file.slice(FILE_PREFIX.length), name: nameOf(value) });
      return { file: value.file };
    }
    const within = (key: string): string => (role === '' ? key : `${role}.${key}`);
    if (Array.isArray(value)) return value.map((item: unknown, index) => walk(item, within(String(index))));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, within(key))]));
  };
  // What is made of an object is an object.
  const nameless = walk(inputs, '') as JsonObject;
  issues.push(...ambiguousOf(references));
  if (references.length > MAX_REFERENCES)
    issues.push({ path: 'inputs', message: `must refer to at most ${MAX_REFERENCES} files` });
  return { references, issues, nameless };
};

/** `{"a.b": …}` and `{"a": {"b": …}}` lead to one role. */
const ambiguousOf = (references: readonly FileReference[]): readonly InputIssue[] => {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { role } of references) (seen.has(role) ? twice : seen).add(role);
  return Array.from(twice, (role) => ({
    path: `inputs.${role}`,
    message: 'stands there twice: a name with dots in it is also a way to another member',
  }));
};

const refersToFiles = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(refersToFiles);
  if (isReference(value)) return true;
  for (const key in value)
    if (Object.hasOwn(value, key) && refersToFiles(Reflect.get(value, key))) return true;
  return false;
};

interface Reference {
  readonly file: string;
  readonly name?: unknown;
}

const isReference = (value: object): value is Reference =>
  'file' in value && typeof value.file === 'string' && value.file.startsWith(FILE_PREFIX);

const nameOf = ({ name }: Reference): string | null => (typeof name === 'string' ? name : null);

const issuesOf = (reference: Reference, role: string): readonly InputIssue[] => {
  const path = role === '' ? 'inputs' : `inputs.${role}`;
  const issues: InputIssue[] = [];
  if (role === '') issues.push({ path, message: 'must be an object of inputs, not a file' });
  if (role.length > MAX_ROLE_LENGTH)
    issues.push({ path, message: 'stands too deep, or has too long a name' });
  if (!FILE_NAME_PATTERN.test(reference.file))
    issues.push({ path: `${path}.file`, message: 'must be "sha256:" and 64 hex digits in lower case' });
  for (const key of Object.keys(reference))
    if (key !== 'file' && key !== 'name')
      issues.push({ path: `${path}.${key}`, message: 'is not a known field' });
  const { name } = reference;
  const isName =
    typeof name === 'string' && name !== '' && name.length <= MAX_FILE_NAME_LENGTH && PRINTABLE.test(name);
  if (name !== undefined && !isName)
    issues.push({
      path: `${path}.name`,
      message: `must be a text of 1 to ${MAX_FILE_NAME_LENGTH} printable characters`,
    });
  return issues;
};
