/** The groups of routes, in the order in which the documentation shows them. */
export const TAGS = {
  jobs: 'Docking jobs: submit them, follow them, move them along',
  campaigns: 'Jobs that belong together, and the ranking of what they found',
  leases: 'For workers: take jobs under leases, keep them, end them; and what became of the attempts',
  results: 'What a job produced: results of its tasks, artifacts, and what the cache knows',
  events: 'What happens to jobs, as it happens, and why they wait',
  files: 'Bytes of inputs and outputs, under their SHA-256',
  'jobs by claim': 'The same routes for callers who leave the organization to their token',
  auth: 'Log in, go on with a session, end it',
  console: 'Sessions of browsers, for pages of this service alone',
  users: 'Accounts, their passwords, and their identities at an identity provider',
  organizations: 'Organizations, their settings and their audit trail',
  members: 'Who belongs to an organization, and in which roles',
  operations:
    'What operators look at first: what is wrong, how the processes are, what goes on in the background',
  'service accounts': 'Accounts for the programs of an organization, and the fleets that it admitted',
  fleets: 'Accounts for workers that serve many organizations',
  work: 'Where a fleet of workers finds jobs',
  databases: "Organizations' databases, and the pools of the process that answers",
  servers: 'The PostgreSQL servers that hold the databases',
  migrations: 'Runs that bring the databases up to date',
  monitoring: 'Whether the process and its databases work',
  docs: 'This document',
} as const;

export type Tag = keyof typeof TAGS;
