import type { Finding } from '../ports/databases/database-upkeep.ts';

interface FindingText {
  readonly meaning: string;
  readonly nextStep: string;
}

const BY_ITSELF = 'POST /admin/findings/reconcile mends it; try it with "dry_run" first.';

/** What each kind of finding means to an operator, and what is safe to do. */
export const FINDING_TEXTS: Readonly<Record<Finding['kind'], FindingText>> = {
  missing: {
    meaning: 'By the ledger the organization has this database, and the server does not have it.',
    nextStep:
      'Find out where it went, and restore it from a backup under this name; or, if it is lost for good, retire it: "npx mad databases retire", or POST /admin/databases/{org_id}/retire. Before that none is made anew, empty.',
  },
  'half-made': { meaning: 'The database was begun and nobody finished it.', nextStep: BY_ITSELF },
  'half-retired': {
    meaning: 'The database was being put aside and nobody finished that.',
    nextStep: BY_ITSELF,
  },
  orphan: {
    meaning: 'This deployment made the database, and the ledger does not know it: the metadata lost it.',
    nextStep:
      'Reconciling puts it aside with its data. If the organization should have it, say so first: "npx mad databases adopt".',
  },
  foreign: {
    meaning: 'The database has the name of one of this deployment, and somebody else made it.',
    nextStep:
      'It is left alone. Rename it, or "npx mad databases adopt" it; "npx mad databases reconcile --quarantine-foreign" puts it aside.',
  },
  'stale-spare': {
    meaning: 'A spare or a template that nobody will use. It holds no data of an organization.',
    nextStep: `${BY_ITSELF} What does not say that it is ours is left for you to drop.`,
  },
  'locked-out': {
    meaning:
      "The organization's role cannot use the database: DB_ORG_ROLES was switched on after it was made, or somebody took the role, its login or its rights away.",
    nextStep: BY_ITSELF,
  },
  'old-stamp': {
    meaning: 'A release that did not write the deployment down stamped the database.',
    nextStep: BY_ITSELF,
  },
};
