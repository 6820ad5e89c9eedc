import { number, secret, text } from './variable.ts';

const CREDENTIAL_TAKES = '1 to 4096 printable characters';

/** Of `npm run worker` alone: docs/worker.md. */
export const WORKER_VARIABLES = {
  WORKER_SERVICE_URL: secret(
    'worker',
    'The service that a worker gets its jobs from; unset: the one at `HOST` and `PORT` on this machine',
    'an http(s):// URL without credentials',
  ),
  WORKER_KEY: secret('worker', "A service account's key, of an organization or of a fleet", CREDENTIAL_TAKES),
  WORKER_TOKEN: secret(
    'worker',
    'A ready access token in place of a key, for as long as it is good',
    CREDENTIAL_TAKES,
  ),
  WORKER_EMAIL: text(
    'worker',
    null,
    'an e-mail address',
    'A user that is a worker of an organization, in place of a key',
  ),
  WORKER_PASSWORD: secret('worker', 'The password of that user', '1 to 1024 characters'),
  WORKER_ORG_ID: text(
    'worker',
    null,
    'the id of an organization',
    'The organization that this user works for, where it belongs to several',
  ),
  WORKER_NAME: text(
    'worker',
    null,
    '1 to 100 printable characters',
    "What the service calls the worker; unset: the machine's name and the process's number",
  ),
  WORKER_SLOTS: number(
    'worker',
    1,
    { min: 1, max: 64 },
    "Jobs that a worker runs at the same time; each has its part of the machine's cores and memory",
  ),
  WORKER_MEMORY_MB: number(
    'worker',
    0,
    { min: 0, max: 16_777_216 },
    "Most memory of one job, where the system can limit it; 0: a slot's part of the machine's",
  ),
  WORKER_VINA: text('worker', 'vina', 'a path, or the name of a program', 'AutoDock Vina'),
} as const;
