import { MAX_PAGE_BYTES } from '../../domain/page.ts';
import { milliseconds, MILLION, number, type Variable } from './variable.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

/** What callers may cost a process. A part of `VARIABLES`. */
export const COST_VARIABLES = {
  RESPONSE_BYTES_TOTAL: number(
    'costs',
    128 * MEBIBYTE,
    { min: MAX_PAGE_BYTES, max: 2 ** 40 },
    'Bytes of answers that may be under way in a process; above it requests get 429',
  ),
  RESPONSE_BYTES_PER_ORGANIZATION: number(
    'costs',
    32 * MEBIBYTE,
    { min: MAX_PAGE_BYTES, max: 2 ** 40 },
    'The same for one organization',
  ),
  RESPONSE_STALL_MS: milliseconds(
    20_000,
    'A client that takes nothing of its answer for this long is disconnected',
    'costs',
  ),
  RESPONSE_DEADLINE_MS: milliseconds(
    240_000,
    'A client that has not taken all of its answer in this time is disconnected',
    'costs',
  ),
  PUBLIC_REQUESTS_PER_ADDRESS: number(
    'costs',
    1200,
    { min: 1, max: MILLION },
    'Requests without a token (logins, refreshes) within a minute from one address, or from one /64 network of IPv6',
  ),
  ORG_WRITE_BYTES_PER_SECOND: number(
    'costs',
    8 * MEBIBYTE,
    { min: 1, max: GIBIBYTE },
    'Bytes of bodies that one organization may send to each process; its settings may ask for less',
  ),
  ORG_WRITE_VALUES_PER_SECOND: number(
    'costs',
    200_000,
    { min: 1, max: GIBIBYTE },
    'JSON values in the bodies that one organization may send to each process; its settings may ask for less',
  ),
  ORG_STORAGE_BYTES: number(
    'costs',
    20 * GIBIBYTE,
    { min: 1, max: 2 ** 49 },
    "The size of one organization's database above which it takes no more results; its settings may ask for less",
  ),
} as const satisfies Readonly<Record<string, Variable>>;
