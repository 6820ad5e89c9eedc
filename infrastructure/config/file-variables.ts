import { milliseconds, number, text, type Variable } from './variable.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** Where files are, and how large they may be. A part of `VARIABLES`. */
export const FILE_VARIABLES = {
  FILES_URL: text(
    'files',
    null,
    'file:///folder or s3://bucket/prefix without credentials, which may end with ?region=…&endpoint=…&path_style=true',
    'Where the bytes of files are; unset: the folder `.data/files`. All processes of a deployment need the same: `docs/files.md`',
  ),
  FILES_MAX_BYTES: number(
    'files',
    64 * MEBIBYTE,
    { min: 1, max: 5 * GIBIBYTE },
    'The size of one file above which it is refused',
  ),
  FILES_STALL_MS: milliseconds(
    20_000,
    'A client that sends nothing of its file for this long is disconnected',
    'files',
  ),
  FILES_DEADLINE_MS: milliseconds(
    3_600_000,
    'A client that has not sent or taken all of a file in this time is disconnected',
    'files',
  ),
  ORG_FILES_BYTES: number(
    'files',
    100 * GIBIBYTE,
    { min: 1, max: 2 ** 49 },
    'Bytes of all files of one organization above which it gets 429; its settings may ask for less',
  ),
} as const satisfies Readonly<Record<string, Variable>>;
